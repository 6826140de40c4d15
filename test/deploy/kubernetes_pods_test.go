package deploy_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

type podSpec struct {
	ServiceAccountName            string
	AutomountServiceAccountToken  *bool
	EnableServiceLinks            *bool
	TerminationGracePeriodSeconds int
	SecurityContext               struct {
		RunAsNonRoot                   bool
		RunAsUser, RunAsGroup, FSGroup int
		SeccompProfile                 struct{ Type string }
	}
	Containers []container
	Volumes    []struct {
		Name     string
		EmptyDir *struct{ SizeLimit string }
		Secret   *struct {
			SecretName  string
			DefaultMode int
		}
	}
	TopologySpreadConstraints []struct{ LabelSelector selector }
}

type container struct {
	Image   string
	Command []string
	Args    []string
	Ports   []struct {
		Name          string
		ContainerPort int
	}
	Env     []struct{ Name, Value string }
	EnvFrom []struct{ ConfigMapRef struct{ Name string } }

	Resources       struct{ Requests, Limits map[string]string }
	SecurityContext struct {
		AllowPrivilegeEscalation *bool
		ReadOnlyRootFilesystem   bool
		Privileged               bool
		Capabilities             struct{ Drop, Add []string }
	}
	VolumeMounts []struct {
		Name, MountPath string
		ReadOnly        bool
	}
	Lifecycle struct {
		PreStop struct{ Sleep struct{ Seconds int } }
	}
	StartupProbe, LivenessProbe, ReadinessProbe struct {
		HTTPGet struct{ Path, Port string }
	}
}

// What the level "restricted" of the namespace asks for, and more.
func TestKubernetes_Restricted(t *testing.T) {
	t.Parallel()
	user, err := strconv.Atoi(imageUser(t))
	require.NoError(t, err)
	for _, overlay := range overlays() {
		all := readOverlay(t, overlay)
		for _, namespace := range of[object](t, all, "Namespace") {
			require.Equal(t, "restricted", namespace.Metadata.Labels["pod-security.kubernetes.io/enforce"])
		}
		for _, d := range all.deployments() {
			pod, c := d.Spec.Template.Spec, d.container()
			require.True(t, pod.SecurityContext.RunAsNonRoot)
			require.Equal(t, user, pod.SecurityContext.RunAsUser, "the image's data folder belongs to its user")
			require.Equal(t, user, pod.SecurityContext.RunAsGroup)
			require.Equal(t, user, pod.SecurityContext.FSGroup)
			require.Equal(t, "RuntimeDefault", pod.SecurityContext.SeccompProfile.Type)
			require.False(t, *c.SecurityContext.AllowPrivilegeEscalation)
			require.True(t, c.SecurityContext.ReadOnlyRootFilesystem)
			require.False(t, c.SecurityContext.Privileged)
			require.Equal(t, []string{"ALL"}, c.SecurityContext.Capabilities.Drop)
			require.Empty(t, c.SecurityContext.Capabilities.Add)
			require.False(t, *pod.AutomountServiceAccountToken)
			require.False(t, *pod.EnableServiceLinks, "they begin with PASSBOOK_")
			require.NotEmpty(t, c.Resources.Requests["cpu"])
			require.NotEmpty(t, c.Resources.Requests["memory"])
			require.NotEmpty(t, c.Resources.Limits["memory"])
			checkAccount(t, all, pod.ServiceAccountName)
			checkFolders(t, pod)
		}
	}
}

func checkAccount(t *testing.T, all objects, name string) {
	t.Helper()
	for _, account := range of[struct {
		Metadata                     metadata
		AutomountServiceAccountToken *bool
	}](t, all, "ServiceAccount") {
		if account.Metadata.Name == name {
			require.False(t, *account.AutomountServiceAccountToken)
			return
		}
	}
	require.Fail(t, "there is no ServiceAccount "+name)
}

// checkFolders: the data folder can be written to, and nothing else.
func checkFolders(t *testing.T, pod podSpec) {
	t.Helper()
	empty := make(map[string]bool)
	for _, volume := range pod.Volumes {
		empty[volume.Name] = volume.EmptyDir != nil
		if volume.Secret != nil {
			require.Zero(t, volume.Secret.DefaultMode&0o007, "%s can be read by everybody", volume.Name)
		}
	}
	for _, mount := range pod.Containers[0].VolumeMounts {
		require.Contains(t, empty, mount.Name)
		require.Equal(t, mount.MountPath == dataFolder, empty[mount.Name], mount.MountPath)
		require.NotEqual(t, mount.ReadOnly, empty[mount.Name], mount.MountPath)
	}
}

// Liveness does not depend on engines. Ten seconds are what passbook takes to stop
// at most, and it is not told before the pause is over.
func TestKubernetes_Probes(t *testing.T) {
	t.Parallel()
	for _, overlay := range overlays() {
		for _, d := range readOverlay(t, overlay).deployments() {
			c := d.container()
			require.Equal(t, "/livez", c.StartupProbe.HTTPGet.Path)
			require.Equal(t, "/livez", c.LivenessProbe.HTTPGet.Path)
			require.Equal(t, "/readyz", c.ReadinessProbe.HTTPGet.Path)
			require.Len(t, c.Ports, 1)
			for _, port := range []string{c.StartupProbe.HTTPGet.Port, c.LivenessProbe.HTTPGet.Port, c.ReadinessProbe.HTTPGet.Port} {
				require.Equal(t, c.Ports[0].Name, port)
			}
			require.Positive(t, c.Lifecycle.PreStop.Sleep.Seconds)
			require.Greater(t, d.Spec.Template.Spec.TerminationGracePeriodSeconds, c.Lifecycle.PreStop.Sleep.Seconds+10)
		}
	}
}
