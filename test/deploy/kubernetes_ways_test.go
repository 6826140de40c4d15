package deploy_test

import (
	"net"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

type policy struct {
	Metadata metadata
	Spec     struct {
		PodSelector     selector
		PolicyTypes     []string
		Ingress, Egress []struct {
			From, To []struct {
				NamespaceSelector *selector
				PodSelector       *selector
			}
			Ports []struct {
				Protocol string
				Port     int
			}
		}
	}
}

// ways are the ports that policies open for a pod, by the namespace at the other
// end or what else is asked of it.
func ways(t *testing.T, all objects, d deployed) (in, out map[string][]int) {
	t.Helper()
	in, out = make(map[string][]int), make(map[string][]int)
	name := func(s *selector) string {
		require.NotNil(t, s, "it is open to every namespace")
		for key, value := range s.MatchLabels {
			if key == "kubernetes.io/metadata.name" {
				return value
			}
			return key
		}
		require.Fail(t, "it is open to every namespace")
		return ""
	}
	for _, p := range of[policy](t, all, "NetworkPolicy") {
		if !p.Spec.PodSelector.selects(d.Spec.Template.Metadata.Labels) {
			continue
		}
		for _, rule := range p.Spec.Ingress {
			require.NotEmpty(t, rule.From)
			for _, from := range rule.From {
				for _, port := range rule.Ports {
					in[name(from.NamespaceSelector)] = append(in[name(from.NamespaceSelector)], port.Port)
				}
			}
		}
		for _, rule := range p.Spec.Egress {
			require.NotEmpty(t, rule.To)
			for _, to := range rule.To {
				for _, port := range rule.Ports {
					out[name(to.NamespaceSelector)] = append(out[name(to.NamespaceSelector)], port.Port)
				}
			}
		}
	}
	return in, out
}

// The ways through the network are those of the picture: nobody but command and
// relay gets to the event store, nobody but the readers to their databases.
func TestKubernetes_Network(t *testing.T) {
	t.Parallel()
	for _, overlay := range overlays() {
		all := readOverlay(t, overlay)
		for _, d := range all.deployments() {
			_, kafka, err := net.SplitHostPort(strings.TrimPrefix(all.env(t, d)["PASSBOOK_BROKER"], "kafka://"))
			require.NoError(t, err)
			kafkaPort, err := strconv.Atoi(kafka)
			require.NoError(t, err)
			want := map[string][]int{"kube-system": {53, 53}, "kafka": {kafkaPort}, "mongodb": {27017}}
			if d.role() == "query" || d.role() == "notify" {
				delete(want, "mongodb")
				want["mysql"] = []int{3306}
			}
			in, out := ways(t, all, d)
			require.Equal(t, want, out, "%s: %s", overlay, d.role())
			port := d.container().Ports[0].ContainerPort
			if d.role() == "relay" {
				require.Empty(t, in["passbook/clients"])
			} else {
				require.Equal(t, []int{port}, in["passbook/clients"])
			}
			if overlay == "production" {
				require.Contains(t, in["monitoring"], port)
			}
		}
		deny := of[policy](t, all, "NetworkPolicy")[0]
		require.Equal(t, []string{"Ingress", "Egress"}, deny.Spec.PolicyTypes)
		require.Empty(t, deny.Spec.Ingress)
		require.Empty(t, deny.Spec.Egress)
	}
}

// The port that a service listens on is the one that is told to everybody else.
func TestKubernetes_Ports(t *testing.T) {
	t.Parallel()
	type service struct {
		Metadata metadata
		Spec     struct {
			Selector map[string]string
			Ports    []struct {
				Name, TargetPort string
				Port             int
			}
		}
	}
	for _, overlay := range overlays() {
		all := readOverlay(t, overlay)
		services := of[service](t, all, "Service")
		require.Len(t, services, 3, "nobody calls the relay")
		for _, d := range all.deployments() {
			port := d.container().Ports[0]
			host, listens, err := net.SplitHostPort(all.env(t, d)[addressOf(d.role())])
			require.NoError(t, err)
			require.Equal(t, "0.0.0.0", host)
			require.Equal(t, fmtPort(port.ContainerPort), listens)
			for _, s := range services {
				if (selector{MatchLabels: s.Spec.Selector}).selects(d.Spec.Template.Metadata.Labels) {
					require.Equal(t, d.Metadata.Name, s.Metadata.Name)
					require.Equal(t, port.Name, s.Spec.Ports[0].TargetPort)
					require.Equal(t, port.ContainerPort, s.Spec.Ports[0].Port)
				}
			}
		}
	}
}

var aRow = regexp.MustCompile(`(?m)^#   (passbook-[a-z-]+) +([a-z., ]+?)  +`)

// documented are the secrets that the overlays' comments ask for, with their keys.
func documented(t *testing.T) map[string][]string {
	t.Helper()
	found := make(map[string][]string)
	for _, file := range []string{"base", "overlays/production"} {
		text, err := os.ReadFile(filepath.Join(deployment, "kubernetes", filepath.FromSlash(file), "kustomization.yaml"))
		require.NoError(t, err)
		for _, row := range aRow.FindAllStringSubmatch(string(text), -1) {
			found[row[1]] = strings.Split(row[2], ", ")
		}
	}
	return found
}

// Each path to a secret leads to a key of a secret that is made, or that the
// comments ask for; and nobody gets a secret that is not used.
func TestKubernetes_Secrets(t *testing.T) {
	t.Parallel()
	for _, overlay := range overlays() {
		all := readOverlay(t, overlay)
		known := documented(t)
		if overlay == "small" {
			known = make(map[string][]string)
			for _, s := range of[struct {
				Metadata metadata
				Data     map[string]string
			}](t, all, "Secret") {
				for key := range s.Data {
					known[s.Metadata.Name] = append(known[s.Metadata.Name], key)
				}
			}
		}
		for _, d := range all.deployments() {
			wanted := make(map[string][]string) // keys by folder
			for _, value := range all.env(t, d) {
				if strings.HasPrefix(value, "/run/secrets/") {
					folder, key := path.Split(value)
					wanted[path.Clean(folder)] = append(wanted[path.Clean(folder)], key)
				}
			}
			for _, mount := range d.container().VolumeMounts {
				if mount.MountPath == dataFolder {
					continue
				}
				i := slices.IndexFunc(d.Spec.Template.Spec.Volumes, func(v struct {
					Name     string
					EmptyDir *struct{ SizeLimit string }
					Secret   *struct {
						SecretName  string
						DefaultMode int
					}
				}) bool {
					return v.Name == mount.Name
				})
				keys := known[d.Spec.Template.Spec.Volumes[i].Secret.SecretName]
				require.ElementsMatch(t, keys, wanted[mount.MountPath], "%s: %s: %s", overlay, d.role(), mount.MountPath)
				delete(wanted, mount.MountPath)
			}
			require.Empty(t, wanted, "%s: %s", overlay, d.role())
		}
	}
}

// The brokers of the overlays are named by a URL that can be read.
func TestKubernetes_Broker(t *testing.T) {
	t.Parallel()
	for _, overlay := range overlays() {
		all := readOverlay(t, overlay)
		for _, d := range all.deployments() {
			broker, err := url.Parse(all.env(t, d)["PASSBOOK_BROKER"])
			require.NoError(t, err)
			require.Equal(t, "kafka", broker.Scheme)
			require.Contains(t, broker.Hostname(), ".kafka.svc", "it is in the namespace that the policies let through")
		}
	}
}
