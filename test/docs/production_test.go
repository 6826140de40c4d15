package docs_test

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/internal/testenv"
)

var (
	aLink = regexp.MustCompile(`\]\(([^):]+)\)`)
	aPath = regexp.MustCompile(`deploy/[a-zA-Z0-9./-]*[a-zA-Z0-9]`)
)

// TestProduction walks through the guide about production, with databases and
// topics of the test's own on real engines.
func TestProduction(t *testing.T) {
	t.Parallel()
	command, query, notify, ops := testenv.FreeAddr(t), testenv.FreeAddr(t), testenv.FreeAddr(t), testenv.FreeAddr(t)
	topic := testenv.Name(t)
	place := strings.NewReplacer(
		"127.0.0.1:5000", command, "127.0.0.1:5001", query, "127.0.0.1:5002", notify, "127.0.0.1:5009", ops,
		"mongodb://127.0.0.1:27017/passbook?replicaSet=rs0", testenv.MongoDatabase(t),
		"127.0.0.1:9092", strings.Join(testenv.Kafka(t), ","), "account-events-2", topic+"-2",
		"mysql://passbook:passbook@127.0.0.1:3306/readmodel", testenv.MySQLDatabase(t),
		"mysql://passbook:passbook@127.0.0.1:3306/notify", testenv.MySQLDatabase(t))
	s := newShell(t, t.TempDir(), "PATH="+filepath.Dir(testenv.Program(t))+":"+os.Getenv("PATH"), "PASSBOOK_TOPIC="+topic,
		"PASSBOOK_COMMAND_ADDR="+command, "PASSBOOK_QUERY_ADDR="+query, "PASSBOOK_NOTIFY_ADDR="+notify,
		"PASSBOOK_COMMAND_URL=http://"+command, "PASSBOOK_QUERY_URL=http://"+query, "PASSBOOK_NOTIFY_URL=http://"+notify)
	walk(t, s, filepath.Join("docs", "production.md"), place)
}

// The guides' links lead to files.
func TestProduction_Links(t *testing.T) {
	t.Parallel()
	for _, guide := range []string{"production.md", "scaling.md"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "docs", guide))
		require.NoError(t, err)
		links := aLink.FindAllStringSubmatch(string(text), -1)
		require.NotEmpty(t, links, guide)
		for _, link := range links {
			path, err := url.PathUnescape(link[1])
			require.NoError(t, err)
			require.FileExists(t, filepath.Join("..", "..", "docs", path), guide)
		}
		for _, path := range aPath.FindAllString(string(text), -1) {
			_, err := os.Stat(filepath.Join("..", "..", path))
			if !strings.Contains(path, ".secrets") {
				require.NoError(t, err, "%s names %s", guide, path)
			}
		}
	}
}
