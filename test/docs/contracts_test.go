package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"passbook/internal/testenv"
)

// nodeTools returns the folder of the tools that run on Node.js.
func nodeTools(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("npm"); err != nil {
		testenv.Skip(t, "npm")
	}
	install := exec.Command(filepath.Join("..", "..", "scripts", "node-tools"))
	var complaints strings.Builder
	install.Stderr = &complaints
	folder, err := install.Output()
	if err != nil {
		testenv.Skip(t, "newman and the schemas of AsyncAPI: "+complaints.String())
	}
	return strings.TrimSpace(string(folder))
}

// TestPostmanCollection plays the collection with newman, which is not ours.
func TestPostmanCollection(t *testing.T) {
	t.Parallel()
	newman := filepath.Join(nodeTools(t), ".bin", "newman")
	p := testenv.Start(t, t.TempDir())
	p.AwaitReady(t.Context())
	play := exec.Command(newman, "run", filepath.Join("..", "..", "contract", "postman", "passbook.postman_collection.json"), "--color", "off",
		"--env-var", "commandUrl="+p.Command, "--env-var", "queryUrl="+p.Query, "--env-var", "notifyUrl="+p.Notify)
	output, err := play.CombinedOutput()
	require.NoError(t, err, "%s", output)
	t.Logf("%s", output)
}

// TestAsyncAPI holds the description of the feed against AsyncAPI's own schema.
func TestAsyncAPI(t *testing.T) {
	t.Parallel()
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join(nodeTools(t), "@asyncapi", "specs", "schemas", "3.0.0-without-$id.json"))
	require.NoError(t, err)
	file, err := os.Open(filepath.Join("..", "..", "contract", "asyncapi", "feed.json"))
	require.NoError(t, err)
	defer file.Close()
	document, err := jsonschema.UnmarshalJSON(file)
	require.NoError(t, err)
	require.NoError(t, schema.Validate(document))
	document.(map[string]any)["asyncapi"] = "2.9"
	require.Error(t, schema.Validate(document), "the schema accepts anything")
}
