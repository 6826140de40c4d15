package deploy_test

import (
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/internal/testenv"
)

type scaledObject struct {
	Metadata metadata
	Spec     struct {
		ScaleTargetRef                   struct{ Name string }
		MinReplicaCount, MaxReplicaCount int
		Triggers                         []struct {
			Type              string
			Metadata          map[string]string
			AuthenticationRef struct{ Name string }
		}
	}
}

// Consumers are scaled by the lag of their own group on the feed's own topic, up
// to one instance for each partition.
func TestKubernetes_ScaledObjects(t *testing.T) {
	t.Parallel()
	all := readOverlay(t, "production")
	groups := map[string]string{"passbook-query": "bankaccConsumer", "passbook-notify": "accNotifyConsumer"}
	scaled := of[scaledObject](t, all, "ScaledObject")
	require.Len(t, scaled, len(groups))
	for _, s := range scaled {
		for _, d := range all.deployments() {
			if d.Metadata.Name != s.Spec.ScaleTargetRef.Name {
				continue
			}
			environment := all.env(t, d)
			require.Equal(t, environment["PASSBOOK_TOPIC_PARTITIONS"], strconv.Itoa(s.Spec.MaxReplicaCount))
			kafka := s.Spec.Triggers[0]
			require.Equal(t, "kafka", kafka.Type)
			require.Equal(t, "passbook-kafka", kafka.AuthenticationRef.Name)
			require.Equal(t, groups[d.Metadata.Name], kafka.Metadata["consumerGroup"])
			require.Equal(t, environment["PASSBOOK_TOPIC"], kafka.Metadata["topic"])
			require.Equal(t, environment["PASSBOOK_BROKER"], "kafka://"+kafka.Metadata["bootstrapServers"])
			require.Equal(t, strings.ToLower(environment["PASSBOOK_KAFKA_SASL_MECHANISM"]), strings.ReplaceAll(kafka.Metadata["sasl"], "_sha", "-sha-"))
			require.Equal(t, "enable", kafka.Metadata["tls"])
			delete(groups, d.Metadata.Name)
		}
	}
	require.Empty(t, groups, "nobody scales them")
	for _, a := range of[struct {
		Metadata metadata
		Spec     struct {
			SecretTargetRef []struct{ Name, Key string }
		}
	}](t, all, "TriggerAuthentication") {
		require.Equal(t, "passbook-kafka", a.Metadata.Name)
		for _, ref := range a.Spec.SecretTargetRef {
			require.Contains(t, documented(t)[ref.Name], ref.Key)
		}
	}
}

func TestKubernetes_Autoscaler(t *testing.T) {
	t.Parallel()
	all := readOverlay(t, "production")
	found := of[struct {
		Spec struct {
			ScaleTargetRef           struct{ Kind, Name string }
			MinReplicas, MaxReplicas int
		}
	}](t, all, "HorizontalPodAutoscaler")
	require.Len(t, found, 1)
	require.Equal(t, "Deployment passbook-command", found[0].Spec.ScaleTargetRef.Kind+" "+found[0].Spec.ScaleTargetRef.Name)
	require.GreaterOrEqual(t, found[0].Spec.MinReplicas, 2)
	require.Greater(t, found[0].Spec.MaxReplicas, found[0].Spec.MinReplicas)
}

// The group that KEDA asks for is the one under which the program consumes.
func TestGroups(t *testing.T) {
	t.Parallel()
	for file, group := range map[string]string{"../../cmd/passbook": "bankaccConsumer", "../../bank/notify": "accNotifyConsumer"} {
		require.True(t, mentioned(t, file, `"`+group+`"`), "%s in %s", group, file)
	}
}

var aMetric = regexp.MustCompile(`passbook_[a-z_]+`)

// Each metric that an alarm asks for is one that the program shows.
func TestKubernetes_Alarms(t *testing.T) {
	t.Parallel()
	p := testenv.Start(t, t.TempDir())
	p.AwaitReady(t.Context())
	var shown strings.Builder
	for range 2 { // a request is counted when it was answered
		for _, service := range []string{p.Command, p.Query, p.Notify} {
			answer, err := http.Get(service + "/metrics")
			require.NoError(t, err)
			_, err = io.Copy(&shown, answer.Body)
			require.NoError(t, err)
			require.NoError(t, answer.Body.Close())
		}
	}
	known := make(map[string]bool)
	for _, name := range aMetric.FindAllString(shown.String(), -1) {
		known[name] = true
	}
	rules := of[struct {
		Spec struct {
			Groups []struct {
				Rules []struct{ Alert, Expr string }
			}
		}
	}](t, readOverlay(t, "production"), "PrometheusRule")
	require.Len(t, rules, 1)
	require.NotEmpty(t, rules[0].Spec.Groups[0].Rules)
	for _, rule := range rules[0].Spec.Groups[0].Rules {
		names := aMetric.FindAllString(rule.Expr, -1)
		require.NotEmpty(t, names, rule.Alert)
		for _, name := range names {
			require.True(t, known[name], "%s asks for %s", rule.Alert, name)
		}
	}
}
