package deploy_test

import (
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/internal/testenv"
)

type composeProject struct {
	Services map[string]composeService
	Networks map[string]struct{ Name string }
	Secrets  map[string]struct{ File string }
	Configs  map[string]struct{ File string }
}

type composeService struct {
	Image       string
	Command     []string
	Entrypoint  []string
	Environment map[string]*string
	Secrets     []struct{ Source, Target string }
	Configs     []struct{ Source, Target string }
	Ports       []struct {
		HostIP    string `json:"host_ip"`
		Target    int
		Published string
	}
	Networks    map[string]any
	NetworkMode string `json:"network_mode"`
	Healthcheck *struct{ Test []string }
	Deploy      struct{ Replicas *int }
	Restart     string
	ReadOnly    bool                                  `json:"read_only"`
	CapDrop     []string                              `json:"cap_drop"`
	DependsOn   map[string]struct{ Condition string } `json:"depends_on"`
	Volumes     []struct{ Type, Source, Target string }
}

func (s composeService) env() map[string]string {
	values := make(map[string]string, len(s.Environment))
	for name, value := range s.Environment {
		if value != nil {
			values[name] = *value
		}
	}
	return values
}

// roles are the services of passbook, by the names that they have everywhere.
func roles() []string { return []string{"command", "relay", "query", "notify"} }

// dataFolder is the one folder that the program may write to.
const dataFolder = "/var/lib/passbook"

func readCompose(t *testing.T, more ...string) composeProject {
	t.Helper()
	args := []string{"compose", filepath.Join(deployment, "compose", "compose.yaml")}
	for _, name := range more {
		args = append(args, filepath.Join(deployment, "compose", name))
	}
	var project composeProject
	readManifest(t, &project, args...)
	return project
}

func TestCompose_Services(t *testing.T) {
	t.Parallel()
	project := readCompose(t)
	require.ElementsMatch(t, slices.Concat(roles(), []string{"ops"}, members("kafka"), members("mongodb"),
		[]string{"mongodb-init", "mysql", "adminer", "mongo-express"}), slices.Collect(maps.Keys(project.Services)))
	require.Equal(t, "techbankNet", project.Networks["techbankNet"].Name)
	require.Equal(t, 4, *project.Services["notify"].Deploy.Replicas)
	for name, s := range project.Services {
		if s.NetworkMode == "" {
			require.Contains(t, s.Networks, "techbankNet", name)
		}
		if name != "ops" {
			require.NotEmpty(t, s.Restart, name)
			require.NotEqual(t, "no", s.Restart, name)
		}
		for other, dependency := range s.DependsOn {
			if dependency.Condition == "service_healthy" {
				require.NotNil(t, project.Services[other].Healthcheck, "%s waits for the health of %s", name, other)
			}
		}
	}
	for _, name := range append(roles(), "ops") {
		s := project.Services[name]
		require.True(t, s.ReadOnly, name)
		require.Equal(t, []string{"ALL"}, s.CapDrop, name)
		require.Len(t, s.Volumes, 1, name)
		require.Equal(t, dataFolder, s.Volumes[0].Target, name)
		require.Empty(t, s.Volumes[0].Source, "instances of %s would share a data folder", name)
	}
}

func members(name string) []string { return []string{name + "-1", name + "-2", name + "-3"} }

// Nothing is open to other machines, and each port is free for one service.
func TestCompose_Published(t *testing.T) {
	t.Parallel()
	taken := make(map[string]string)
	for name, s := range readCompose(t).Services {
		for _, p := range s.Ports {
			require.Equal(t, "127.0.0.1", p.HostIP, name)
			require.Empty(t, taken[p.Published], "%s and %s", name, taken[p.Published])
			taken[p.Published] = name
		}
	}
	require.Equal(t, "command", taken["5000"])
	require.Equal(t, "query", taken["5001"])
	require.Equal(t, "notify", taken["5002-5005"], "one port for each of the four")
}

// addressOf is the setting of the address that a role listens on.
func addressOf(role string) string {
	if role == "relay" {
		return "PASSBOOK_OPS_ADDR"
	}
	return "PASSBOOK_" + strings.ToUpper(role) + "_ADDR"
}

// The health check asks the address that the service listens on, of the program
// that the image has; whether it answers is seen in TestRun.
func TestCompose_Health(t *testing.T) {
	t.Parallel()
	project := readCompose(t)
	for _, role := range roles() {
		s := project.Services[role]
		require.Equal(t, role, s.env()["PASSBOOK_ROLES"])
		require.NotNil(t, s.Healthcheck, role)
		_, port, err := net.SplitHostPort(s.env()[addressOf(role)])
		require.NoError(t, err, role)
		require.Equal(t, []string{"CMD", "/passbook", "health", "--ready", "127.0.0.1:" + port}, s.Healthcheck.Test, role)
		for _, p := range s.Ports {
			require.Equal(t, port, fmtPort(p.Target), role)
		}
	}
}

var (
	aSecretPath = regexp.MustCompile(`/run/secrets/([a-z-]+)`)
	aSecretName = regexp.MustCompile(`(?i)password|secret|token|_key`)
)

// makeSecrets runs the script for a folder of the test's own.
func makeSecrets(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "secrets")
	script := exec.Command(filepath.Join(deployment, "compose", "secrets"), folder)
	script.Env = append(os.Environ(), "PASSBOOK="+testenv.Program(t))
	said, err := script.CombinedOutput()
	require.NoError(t, err, "%s", said)
	return folder
}

// Each service gets the secrets that it reads, by files that the script makes;
// none stands in the Compose file.
func TestCompose_Secrets(t *testing.T) {
	t.Parallel()
	project := readCompose(t)
	used := make(map[string]bool)
	for name, s := range project.Services {
		var read []string
		text := strings.Join(append(s.Command, s.Entrypoint...), " ")
		for variable, value := range s.env() {
			if aSecretName.MatchString(variable) {
				require.Contains(t, value, "/run/secrets/", "%s: %s has a value of its own", name, variable)
			}
			text += " " + value
		}
		for _, c := range s.Configs {
			content, err := os.ReadFile(project.Configs[c.Source].File)
			require.NoError(t, err)
			text += " " + expand(string(content))
		}
		for _, m := range aSecretPath.FindAllStringSubmatch(text, -1) {
			read = append(read, m[1])
		}
		slices.Sort(read)
		var given []string
		for _, secret := range s.Secrets {
			require.Equal(t, "/run/secrets/"+secret.Source, secret.Target)
			given = append(given, secret.Source)
			used[secret.Source] = true
		}
		require.ElementsMatch(t, slices.Compact(read), given, name)
	}
	folder := makeSecrets(t)
	for name, secret := range project.Secrets {
		require.True(t, used[name], "nobody gets %s", name)
		require.Equal(t, name, filepath.Base(secret.File))
		require.FileExists(t, filepath.Join(folder, name))
	}
}

// expand writes out the paths that the scripts of the engines put together.
func expand(script string) string {
	script = strings.ReplaceAll(script, "mysql-$service-password", "mysql-readmodel-password /run/secrets/mysql-notify-password")
	for _, m := range regexp.MustCompile(`secret\('([a-z-]+)'\)`).FindAllStringSubmatch(script, -1) {
		script += " /run/secrets/" + m[1]
	}
	for _, m := range regexp.MustCompile(`(?m)^user\(admin, '([a-z]+)'`).FindAllStringSubmatch(script, -1) {
		script += " /run/secrets/mongodb-" + m[1] + "-password"
	}
	return script
}

// The script makes what is missing and leaves alone what is there; what it makes
// is kept from other users of the machine.
func TestCompose_SecretsScript(t *testing.T) {
	t.Parallel()
	folder := makeSecrets(t)
	info, err := os.Stat(folder)
	require.NoError(t, err)
	require.Equal(t, "drwx------", info.Mode().String())
	before := readAll(t, folder)
	require.Len(t, strings.Fields(before["api-keys"]), 6, "name, hash, scopes of two clients")
	require.NoError(t, os.Remove(filepath.Join(folder, "mysql-notify-password")))
	script := exec.Command(filepath.Join(deployment, "compose", "secrets"), folder)
	script.Env = append(os.Environ(), "PASSBOOK=false") // keys are there: it is not asked
	said, err := script.CombinedOutput()
	require.NoError(t, err, "%s", said)
	after := readAll(t, folder)
	for name, content := range before {
		if name == "mysql-notify-password" || name == "notify-db" {
			require.NotEqual(t, content, after[name], name)
			continue
		}
		require.Equal(t, content, after[name], name)
	}
	require.Contains(t, after["notify-db"], after["mysql-notify-password"])
	require.Len(t, after, len(before))
}

func readAll(t *testing.T, folder string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	found := make(map[string]string)
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		require.NoError(t, err)
		require.NotEmpty(t, content, entry.Name())
		found[entry.Name()] = string(content)
	}
	return found
}
