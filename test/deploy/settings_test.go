package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/internal/testenv"
)

var aSetting = regexp.MustCompile(`PASSBOOK_[A-Z_]+`)

// settingsOf are the variables that a command of passbook reads, from what it
// says of itself.
func settingsOf(t *testing.T, commands ...string) map[string]bool {
	t.Helper()
	known := make(map[string]bool)
	for _, command := range commands {
		help, err := exec.Command(testenv.Program(t), command, "--help").CombinedOutput()
		require.NoError(t, err, "%s", help)
		for _, name := range aSetting.FindAllString(string(help), -1) {
			known[strings.TrimSuffix(name, "_FILE")] = true
		}
	}
	require.NotEmpty(t, known)
	return known
}

// A variable that the program does not know would be passed over in silence.
func TestSettings(t *testing.T) {
	t.Parallel()
	serve := settingsOf(t, "serve")
	check := func(where string, known map[string]bool, environment map[string]string) {
		for name := range environment {
			if strings.HasPrefix(name, "PASSBOOK_") {
				require.True(t, known[strings.TrimSuffix(name, "_FILE")], "%s sets %s, which is no setting", where, name)
			}
		}
	}
	project := readCompose(t)
	for _, name := range roles() {
		check("service "+name, serve, project.Services[name].env())
	}
	check("service ops", settingsOf(t, "verify", "restore", "parked"), project.Services["ops"].env())
	for _, overlay := range overlays() {
		objects := readOverlay(t, overlay)
		for _, d := range objects.deployments() {
			check(overlay+": "+d.Metadata.Name, serve, objects.env(t, d))
		}
	}
	require.True(t, serve["PASSBOOK_DATA"])
}

// mentioned tells whether a Go file of a folder has a text in it, tests apart.
func mentioned(t *testing.T, folder, text string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	require.NoError(t, err)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		if !strings.HasSuffix(file, "_test.go") && strings.Contains(string(content), text) {
			return true
		}
	}
	return false
}
