package deploy_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

type metadata struct {
	Name, Namespace string
	Labels          map[string]string
}

// object is what all kinds have, and the rest unread.
type object struct {
	Kind     string
	Metadata metadata
	raw      json.RawMessage
}

// objects are what an overlay consists of.
type objects []object

type selector struct {
	MatchLabels      map[string]string
	MatchExpressions []struct {
		Key, Operator string
		Values        []string
	}
}

// selects tells whether a selector with In alone takes in an object.
func (s selector) selects(labels map[string]string) bool {
	for key, value := range s.MatchLabels {
		if labels[key] != value {
			return false
		}
	}
	for _, e := range s.MatchExpressions {
		if e.Operator != "In" || !slices.Contains(e.Values, labels[e.Key]) {
			return false
		}
	}
	return true
}

func overlays() []string { return []string{"small", "production"} }

// built are the overlays as they stand, each built once: the schemas alone take a
// second to read.
var built struct {
	mu       sync.Mutex
	overlays map[string]objects
}

func readOverlay(t *testing.T, name string) objects {
	t.Helper()
	built.mu.Lock()
	defer built.mu.Unlock()
	if all, ok := built.overlays[name]; ok {
		return all
	}
	all := buildOverlay(t, name)
	if built.overlays == nil {
		built.overlays = make(map[string]objects)
	}
	built.overlays[name] = all
	return all
}

// buildOverlay builds an overlay, with secrets in it that the script for Compose
// has made, where it makes them of files.
func buildOverlay(t *testing.T, name string) objects {
	t.Helper()
	folder := copyTo(t, filepath.Join(deployment, "kubernetes"))
	if name == "small" {
		from, to := makeSecrets(t), filepath.Join(folder, "overlays", name, "secrets")
		require.NoError(t, os.CopyFS(to, os.DirFS(from)))
	}
	var raw []json.RawMessage
	readManifest(t, &raw, "kubernetes", filepath.Join(folder, "overlays", name))
	all := make(objects, len(raw))
	for i, one := range raw {
		require.NoError(t, json.Unmarshal(one, &all[i]))
		all[i].raw = one
	}
	return all
}

// of reads all objects of a kind.
func of[T any](t *testing.T, all objects, kind string) []T {
	t.Helper()
	var found []T
	for _, o := range all {
		if o.Kind == kind {
			var one T
			require.NoError(t, json.Unmarshal(o.raw, &one))
			found = append(found, one)
		}
	}
	return found
}

type deployed struct {
	Metadata metadata
	Spec     struct {
		Replicas *int
		Selector selector
		Template struct {
			Metadata metadata
			Spec     podSpec
		}
	}
}

func (d deployed) role() string {
	return d.Spec.Template.Metadata.Labels["app.kubernetes.io/component"]
}

func (d deployed) container() container { return d.Spec.Template.Spec.Containers[0] }

func (all objects) deployments() []deployed {
	var found []deployed
	for _, o := range all {
		var one deployed
		if o.Kind == "Deployment" && json.Unmarshal(o.raw, &one) == nil {
			found = append(found, one)
		}
	}
	return found
}

// env are the variables of a deployment's container, those of the ConfigMap among
// them.
func (all objects) env(t *testing.T, d deployed) map[string]string {
	t.Helper()
	values := make(map[string]string)
	configs := of[struct {
		Metadata metadata
		Data     map[string]string
	}](t, all, "ConfigMap")
	for _, from := range d.container().EnvFrom {
		i := slices.IndexFunc(configs, func(m struct {
			Metadata metadata
			Data     map[string]string
		}) bool {
			return m.Metadata.Name == from.ConfigMapRef.Name
		})
		require.NotEqual(t, -1, i, "ConfigMap %s", from.ConfigMapRef.Name)
		maps.Copy(values, configs[i].Data)
	}
	for _, one := range d.container().Env {
		require.NotContains(t, values, one.Name, "it is set twice")
		values[one.Name] = one.Value
	}
	return values
}

func TestKubernetes_Deployments(t *testing.T) {
	t.Parallel()
	for _, overlay := range overlays() {
		all := readOverlay(t, overlay)
		var found []string
		for _, d := range all.deployments() {
			found = append(found, d.role())
			require.Equal(t, "passbook-"+d.role(), d.Metadata.Name)
			require.Equal(t, d.role(), all.env(t, d)["PASSBOOK_ROLES"])
			require.True(t, d.Spec.Selector.selects(d.Spec.Template.Metadata.Labels))
			require.Len(t, d.Spec.Template.Spec.Containers, 1)
			require.Equal(t, []string{"serve"}, d.container().Args)
			require.Empty(t, d.container().Command, "the image has its entry point")
			checkGuards(t, all, d)
		}
		require.ElementsMatch(t, roles(), found)
		for _, o := range all {
			if o.Kind != "Namespace" {
				require.Equal(t, "passbook", o.Metadata.Namespace, "%s %s", o.Kind, o.Metadata.Name)
			}
		}
	}
}

// checkGuards: a drain leaves instances of each service, and they are spread.
func checkGuards(t *testing.T, all objects, d deployed) {
	t.Helper()
	type budget struct {
		Spec struct {
			Selector       selector
			MaxUnavailable int
		}
	}
	budgets := slices.DeleteFunc(of[budget](t, all, "PodDisruptionBudget"), func(b budget) bool {
		return !b.Spec.Selector.selects(d.Spec.Template.Metadata.Labels)
	})
	require.Len(t, budgets, 1, d.role())
	require.Equal(t, 1, budgets[0].Spec.MaxUnavailable)
	spread := d.Spec.Template.Spec.TopologySpreadConstraints
	require.Len(t, spread, 2)
	for _, s := range spread {
		require.Equal(t, d.Spec.Selector, s.LabelSelector)
	}
}

// The relay stands by: two of them where it counts, and nothing scales it.
func TestKubernetes_Replicas(t *testing.T) {
	t.Parallel()
	for _, d := range readOverlay(t, "production").deployments() {
		if d.role() == "relay" {
			require.Equal(t, 2, *d.Spec.Replicas)
			continue
		}
		require.Nil(t, d.Spec.Replicas, "an apply would take back what was scaled: %s", d.role())
	}
	for _, d := range readOverlay(t, "small").deployments() {
		require.Equal(t, 1, *d.Spec.Replicas)
	}
}

// Secrets are never committed.
func TestKubernetes_NoSecrets(t *testing.T) {
	t.Parallel()
	ignored, err := os.ReadFile(filepath.Join(deployment, "kubernetes", "overlays", "small", ".gitignore"))
	require.NoError(t, err)
	require.Contains(t, string(ignored), "\n/secrets/\n")
	require.Empty(t, of[object](t, readOverlay(t, "production"), "Secret"))
	for _, overlay := range overlays() {
		all := readOverlay(t, overlay)
		for _, d := range all.deployments() {
			for name, value := range all.env(t, d) {
				require.False(t, aSecretName.MatchString(name) && !strings.HasPrefix(value, "/run/secrets/"), "%s has a value of its own", name)
			}
		}
	}
}
