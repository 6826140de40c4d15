package docs_test

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

// quoted is a block that says which file it shows.
var quoted = regexp.MustCompile("(?ms)^<!-- file: (\\S+) -->\n```[a-z]*\n(.*?)^```$")

// TestSecondApplication builds the garage, runs it as its guide says, and
// compares the files with what the guide shows of them.
func TestSecondApplication(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		testenv.Skip(t, "curl")
	}
	docs := filepath.Join("..", "..", "docs")
	guide, err := os.ReadFile(filepath.Join(docs, "second-application.md"))
	require.NoError(t, err)
	shown := make(map[string]string)
	for _, block := range quoted.FindAllStringSubmatch(string(guide), -1) {
		shown[block[1]] = block[2]
	}
	files, err := filepath.Glob(filepath.Join(docs, "garage", "*.*o*"))
	require.NoError(t, err)
	for _, path := range files {
		if filepath.Ext(path) == ".sum" {
			continue
		}
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(content), shown["garage/"+filepath.Base(path)], "the guide does not show %s as it is", path)
	}

	vet := exec.Command("go", "vet", "./...")
	vet.Dir = filepath.Join(docs, "garage")
	output, err := vet.CombinedOutput()
	require.NoError(t, err, "go vet: %s", output)

	address := testenv.FreeAddr(t)
	place := strings.NewReplacer("127.0.0.1:5050", address, "/tmp", t.TempDir())
	walk(t, newShell(t, vet.Dir, "GARAGE_ADDR="+address), filepath.Join("docs", "second-application.md"), place)
}
