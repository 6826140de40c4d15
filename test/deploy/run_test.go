package deploy_test

import (
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/internal/testenv"
)

// patience is for machines that have more to do than this test.
const patience = 3 * time.Minute

// started is a service as a container would run it.
type started struct {
	name    string
	addr    string // 127.0.0.1 and its port
	place   *strings.Replacer
	command *exec.Cmd
	output  sync.Mutex
	log     strings.Builder
}

func (s *started) Write(p []byte) (int, error) {
	s.output.Lock()
	defer s.output.Unlock()
	return s.log.Write(p)
}

func (s *started) said() string {
	s.output.Lock()
	defer s.output.Unlock()
	return s.log.String()
}

// run starts a service with exactly the arguments and variables that it is
// deployed with. Only what differs on this machine is written otherwise: the
// places of engines, ports, folders. The image's own variable comes first.
func run(t *testing.T, name string, args []string, environment map[string]string, places ...string) *started {
	t.Helper()
	port := portOf(t, name, environment)
	s := &started{name: name, addr: testenv.FreeAddr(t)}
	s.place = strings.NewReplacer(append(places, ":"+port, strings.TrimPrefix(s.addr, "127.0.0.1"), dataFolder, t.TempDir())...)
	all := map[string]string{"PASSBOOK_DATA": dataFolder}
	maps.Copy(all, environment)
	s.command = exec.Command(testenv.Program(t))
	for _, arg := range args {
		s.command.Args = append(s.command.Args, s.place.Replace(arg))
	}
	s.command.Env = []string{} // nothing of this process
	for variable, value := range all {
		s.command.Env = append(s.command.Env, variable+"="+s.place.Replace(value))
	}
	s.command.Stdout, s.command.Stderr = s, s
	require.NoError(t, s.command.Start())
	t.Cleanup(func() {
		if s.command.ProcessState == nil {
			_ = s.command.Process.Kill()
			_ = s.command.Wait()
		}
		if t.Failed() {
			t.Logf("%s: %s", name, s.said())
		}
	})
	return s
}

func portOf(t *testing.T, role string, environment map[string]string) string {
	t.Helper()
	address := environment[addressOf(role)]
	i := strings.LastIndex(address, ":")
	require.Positive(t, i, "%s: %s", role, address)
	return address[i+1:]
}

func (s *started) url() string { return "http://" + s.addr }

// awaitHealth runs the health check of the service until it is content.
func (s *started) awaitHealth(t *testing.T, check []string) {
	t.Helper()
	require.Equal(t, []string{"CMD", "/passbook"}, check[:2])
	args := make([]string, len(check)-2)
	for i, arg := range check[2:] {
		args[i] = s.place.Replace(arg)
	}
	var said []byte
	require.Eventually(t, func() bool {
		var err error
		said, err = exec.Command(testenv.Program(t), args...).CombinedOutput()
		return err == nil
	}, patience, 200*time.Millisecond, "%s does not become healthy", s.name)
	require.Equal(t, "{\"ready\":true}\n", string(said))
}

// awaitProbe asks as the kubelet does.
func (s *started) awaitProbe(t *testing.T, path string) {
	t.Helper()
	require.Eventually(t, func() bool {
		answer, err := http.Get(s.url() + path)
		if err != nil {
			return false
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		return answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
	}, patience, 200*time.Millisecond, "%s: %s", s.name, path)
}

// stop ends services as their container's end does.
func stop(t *testing.T, services []*started) {
	t.Helper()
	for _, s := range services {
		require.NoError(t, s.command.Process.Signal(syscall.SIGTERM))
	}
	for _, s := range services {
		require.NoError(t, s.command.Wait(), "%s: %s", s.name, s.said())
	}
}

// client runs a command of passbook against services.
func client(t *testing.T, environment []string, args ...string) string {
	t.Helper()
	command := exec.Command(testenv.Program(t), args...)
	command.Env = environment
	said, err := command.CombinedOutput()
	require.NoError(t, err, "passbook %s: %s", strings.Join(args, " "), said)
	return string(said)
}

// One bank, run from the Compose file at first and from the production overlay
// then: what the one has written the other goes on with.
func TestRun(t *testing.T) {
	t.Parallel()
	e := startEngines(t)
	require.True(t, t.Run("Compose", func(t *testing.T) { runCompose(t, e) }))
	t.Run("Production", func(t *testing.T) { runProduction(t, e) })
}

func writeSecret(t *testing.T, path, content string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
}

func runCompose(t *testing.T, e *engines) {
	project := readCompose(t)
	folder := t.TempDir()
	for name, content := range e.secrets {
		writeSecret(t, filepath.Join(folder, name), content)
	}
	writeSecret(t, filepath.Join(folder, "event-store"), e.eventStore(t))
	writeSecret(t, filepath.Join(folder, "read-db"), e.database(t, "read-db"))
	writeSecret(t, filepath.Join(folder, "notify-db"), e.database(t, "notify-db"))
	places := []string{"/run/secrets", folder, "kafka-1:9092,kafka-2:9092,kafka-3:9092", strings.Join(e.kafka, ",")}

	var all []*started
	first := make(map[string]*started)
	for _, role := range roles() {
		s := project.Services[role]
		replicas := 1
		if s.Deploy.Replicas != nil {
			replicas = *s.Deploy.Replicas
		}
		for range replicas {
			one := run(t, role, s.Command, s.env(), places...)
			all = append(all, one)
			if first[role] == nil {
				first[role] = one
			}
		}
	}
	for _, s := range all {
		s.awaitHealth(t, project.Services[s.name].Healthcheck.Test)
	}
	urls := strings.NewReplacer(append(places, "http://command:5000", first["command"].url(),
		"http://query:5001", first["query"].url(), "http://notify:5002", first["notify"].url())...)
	var ops []string
	for name, value := range project.Services["ops"].env() {
		ops = append(ops, name+"="+urls.Replace(value))
	}
	require.Contains(t, client(t, ops, "accounts", "open", "--id", "ada", "--holder", "Ada Lovelace", "--type", "savings", "--balance", "100.00"), "version 0")
	client(t, ops, "accounts", "get", "ada", "--min-version", "0", "--wait", "30s", "--timeout", patience.String())
	require.Contains(t, client(t, ops, project.Services["ops"].Command...), "event store, feed and read model agree")
	require.Contains(t, client(t, ops, "restore"), "is done")
	require.Contains(t, client(t, ops, "parked", "list"), "no parked streams")
	answer, err := http.Get(first["query"].url() + "/api/v2/accounts")
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusUnauthorized, answer.StatusCode, "it listens for other machines")
	stop(t, all)
}

func runProduction(t *testing.T, e *engines) {
	objects := readOverlay(t, "production")
	folder := t.TempDir()
	for path, content := range map[string]string{
		"event-store/url": e.eventStore(t), "read-db/url": e.database(t, "read-db"), "notify-db/url": e.database(t, "notify-db"),
		"api-keys/keys": e.secrets["api-keys"],
		"kafka/user":    kafkaUser, "kafka/password": kafkaPassword, "kafka/ca.crt": string(e.issuer),
	} {
		writeSecret(t, filepath.Join(folder, filepath.FromSlash(path)), content)
	}
	var all []*started
	first := make(map[string]*started)
	for _, d := range objects.deployments() {
		replicas := 1
		if d.Spec.Replicas != nil {
			replicas = *d.Spec.Replicas
		}
		for range replicas {
			one := run(t, d.role(), d.container().Args, objects.env(t, d),
				"/run/secrets", folder, "kafka-bootstrap.kafka.svc:9093", strings.Join(e.guarded, ","))
			all = append(all, one)
			first[d.role()] = one
		}
		for _, s := range all {
			s.awaitProbe(t, d.container().StartupProbe.HTTPGet.Path)
		}
	}
	for _, s := range all {
		s.awaitProbe(t, "/readyz")
	}
	operator := []string{
		"PASSBOOK_COMMAND_URL=" + first["command"].url(), "PASSBOOK_QUERY_URL=" + first["query"].url(),
		"PASSBOOK_NOTIFY_URL=" + first["notify"].url(), "PASSBOOK_API_KEY=" + e.secrets["operator-key"],
	}
	require.Contains(t, client(t, operator, "accounts", "deposit", "ada", "50.00"), "balance 150.00 EUR, version 1")
	require.Contains(t, client(t, operator, "accounts", "get", "ada", "--min-version", "1", "--wait", "30s", "--timeout", patience.String()), "150.00 EUR")
	require.Contains(t, client(t, operator, "restore", "--timeout", patience.String()), "is done", "it makes topics and deletes them")
	stop(t, all)
}
