package deploy_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the tools would refuse, or silently drop, is refused: so the other tests
// here prove something.
func TestPlanted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, old, now string
		args           []string
		says           string
	}{
		"UnknownKey":        {"compose/compose.yaml", "stop_grace_period: 15s", "stop_grace: 15s", composeFiles(), "stop_grace"},
		"UndefinedSecret":   {"compose/compose.yaml", "secrets: [event-store]", "secrets: [event-storage]", composeFiles(), "event-storage"},
		"UndefinedVolume":   {"compose/compose.yaml", `["mysql:/var/lib/mysql"]`, `["sql:/var/lib/mysql"]`, composeFiles(), "sql"},
		"UnknownDependency": {"compose/compose.yaml", "mongodb-init: {condition", "mongodb: {condition", composeFiles(), "mongodb"},
		"UnknownField":      {"kubernetes/base/pod.yaml", "readOnlyRootFilesystem", "readonlyRootFilesystem", production(), "readonlyRootFilesystem"},
		"WrongType":         {"kubernetes/base/relay.yaml", "replicas: 2", "replicas: two", production(), "replicas"},
		"WrongValue":        {"kubernetes/base/pod.yaml", "fsGroupChangePolicy: OnRootMismatch", "fsGroupChangePolicy: 7", production(), "fsGroupChangePolicy"},
		"Missing":           {"kubernetes/base/relay.yaml", "  selector:\n    matchLabels: {app.kubernetes.io/name: passbook, app.kubernetes.io/component: relay}\n  template", "  template", production(), "selector"},
		"UnknownKind":       {"kubernetes/base/relay.yaml", "kind: PodDisruptionBudget", "kind: PodDisruptionBugdet", production(), "PodDisruptionBugdet"},
		"ScaledObject":      {"kubernetes/components/autoscaling/query.yaml", "maxReplicaCount", "maxReplicas", production(), "maxReplicas"},
		"PodMonitor":        {"kubernetes/components/monitoring/metrics.yaml", "podMetricsEndpoints", "endpoints", production(), "endpoints"},
		"Kustomization":     {"kubernetes/overlays/production/kustomization.yaml", "components:", "component:", production(), "component"},
		"PatchOfNothing":    {"kubernetes/components/autoscaling/kustomization.yaml", "path: /spec/replicas", "path: /spec/replica", production(), "replica"},
		"Dockerfile":        {"image/Dockerfile", "ENTRYPOINT [", "ENTRY [", []string{"dockerfile", "image/Dockerfile"}, "ENTRY"},
		"Flag":              {"image/Dockerfile", "--from=build --chown", "--from=build --owner", []string{"dockerfile", "image/Dockerfile"}, "owner"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := copyTo(t, deployment)
			args := []string{c.args[0]}
			for _, path := range c.args[1:] {
				args = append(args, filepath.Join(folder, path))
			}
			replaceIn(t, filepath.Join(folder, c.file), c.old, c.now)
			var result any
			require.ErrorContains(t, tryManifest(t, &result, args...), c.says)
		})
	}
}

func composeFiles() []string { return []string{"compose", "compose/compose.yaml"} }

func production() []string { return []string{"kubernetes", "kubernetes/overlays/production"} }
