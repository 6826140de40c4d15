package queryapi_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"passbook/bank/queryapi"
	"passbook/bank/readmodel"
	"passbook/bank/web"
)

var update = flag.Bool("update", false, "write the API document instead of comparing it")

var documentPath = filepath.Join("..", "..", "contract", "openapi", "query.json")

func TestDocument_IsCurrent(t *testing.T) {
	document := open(t, func(c *queryapi.Config) { c.Version = "development" }).Document()
	if *update {
		require.NoError(t, os.WriteFile(documentPath, document, 0o644))
	}
	written, err := os.ReadFile(documentPath)
	require.NoError(t, err)
	require.Equal(t, string(written), string(document), "contract/openapi/query.json is not current: run make gen")
}

func TestDocument(t *testing.T) {
	var document struct {
		Paths map[string]struct {
			Get struct {
				OperationID string `json:"operationId"`
				Responses   map[string]struct {
					Content map[string]any `json:"content"`
				} `json:"responses"`
			} `json:"get"`
		} `json:"paths"`
	}
	require.NoError(t, json.Unmarshal([]byte(open(t).get("/openapi.json").body), &document))
	ids := map[string]string{
		lookup:                               "findAllAccounts",
		lookup + "/byId/{id}":                "findAccountById",
		lookup + "/byHolder/{accountHolder}": "findAccountByHolder",
		lookup + "/withBalance/{comparison}/{balance}": "findAccountWithBalance",
	}
	versionTwo := map[string][]string{
		accountsV2:                     {"findAccounts", "200", "400", "401", "403", "409", "429", "500", "503"},
		accountsV2 + "/{id}":           {"findAccount", "200", "304", "400", "401", "403", "404", "409", "429", "500", "503"},
		accountsV2 + "/{id}/statement": {"findStatement", "200", "400", "401", "403", "404", "409", "429", "500", "503"},
	}
	require.Len(t, document.Paths, len(ids)+len(versionTwo))
	for path, want := range versionTwo {
		get := document.Paths[path].Get
		require.Equal(t, want[0], get.OperationID)
		require.ElementsMatch(t, want[1:], slices.Collect(maps.Keys(get.Responses)), path)
		require.Contains(t, get.Responses["200"].Content, "application/json")
		require.Equal(t, path == accountsV2+"/{id}/statement", len(get.Responses["200"].Content) == 2, "CSV")
	}
	for path, id := range ids {
		get := document.Paths[path].Get
		require.Equal(t, id, get.OperationID)
		statuses := make([]string, 0, len(get.Responses))
		for status := range get.Responses {
			statuses = append(statuses, status)
		}
		require.ElementsMatch(t, []string{"200", "204", "400", "401", "403", "500", "503"}, statuses)
		require.Contains(t, get.Responses["200"].Content, "application/json")
		require.Empty(t, get.Responses["204"].Content)
	}
}

func TestNew_Refuses(t *testing.T) {
	_, err := queryapi.New(queryapi.Config{AnswerTimeout: -1})
	require.EqualError(t, err, "queryapi: Config.Accounts is nil\n"+
		"queryapi: Config.Version is empty\nqueryapi: Config.AnswerTimeout is negative")
	reader, err := readmodel.NewReader(new(sql.DB), readmodel.SQLite)
	require.NoError(t, err)
	registry := prometheus.NewRegistry()
	config := queryapi.Config{Accounts: reader, Version: "1", Metrics: registry}
	_, err = queryapi.New(config)
	require.NoError(t, err)
	_, err = queryapi.New(config)
	require.ErrorContains(t, err, "queryapi: register metrics")
	_, err = queryapi.New(queryapi.Config{Accounts: reader, Version: "1", TrustedOrigins: []string{"no origin"}})
	require.ErrorContains(t, err, "trusted origin")
}

func TestProbes(t *testing.T) {
	b := open(t)
	require.Equal(t, http.StatusOK, b.get("/readyz").status)
	require.NoError(t, b.store.Close())
	got := b.get("/readyz")
	require.Equal(t, http.StatusServiceUnavailable, got.status)
	require.JSONEq(t, `{"ready":false,"reasons":{"read-db":"the read DB does not answer"}}`, got.body)
	require.Equal(t, http.StatusOK, b.get("/livez").status)
}

func TestMetrics(t *testing.T) {
	b := openTwo(t)
	for path, times := range map[string]int{
		"": 2, "/byId/x": 3, "/byId/" + johnID: 1, "/byHolder/Nobody": 1, "/withBalance/LESS_THAN/1": 1, "/withBalance/LESS_THAN/x": 1,
	} {
		for range times {
			b.get(lookup + path)
		}
	}
	require.NoError(t, b.store.Close())
	b.get(lookup)
	shown := b.get("/metrics").body
	for _, line := range []string{
		`{outcome="found",query="FindAllAccounts"} 2`,
		`{outcome="unavailable",query="FindAllAccounts"} 1`,
		`{outcome="found",query="FindAccountByID"} 1`,
		`{outcome="none",query="FindAccountByID"} 3`,
		`{outcome="none",query="FindAccountByHolder"} 1`,
		`{outcome="none",query="FindAccountWithBalance"} 1`,
	} {
		require.Contains(t, shown, "passbook_queries_total"+line)
	}
	require.Equal(t, 6, strings.Count(shown, "\npassbook_queries_total{"))
}

// An outage is a line when it begins and a line when it ends, whatever the
// number of questions in between.
func TestLog_Outage(t *testing.T) {
	var log bytes.Buffer
	b := open(t, func(c *queryapi.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	move := func(from, to string) {
		_, err := b.store.DB().Exec("ALTER TABLE " + from + " RENAME TO " + to)
		require.NoError(t, err)
	}
	b.get(lookup)
	require.Empty(t, log.String())
	for range 2 {
		move("bank_account", "away")
		for range 5 {
			require.Equal(t, http.StatusServiceUnavailable, b.get(lookup).status)
		}
		move("away", "bank_account")
		for range 5 {
			require.Equal(t, http.StatusNoContent, b.get(lookup).status)
		}
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	require.Len(t, lines, 4)
	require.Contains(t, lines[0], "no such table")
	require.Contains(t, lines[1], "the read DB answers again")
	require.Equal(t, 2, strings.Count(log.String(), `msg="the read DB does not answer"`))
}

// Every route wants the scope of questions.
func TestAdmit(t *testing.T) {
	var scopes []string
	b := open(t, func(c *queryapi.Config) {
		c.Admit = func(_ *http.Request, op *web.Operation) (context.Context, error) {
			scopes = append(scopes, op.Scope)
			return nil, errors.Join(web.Forbidden("this key may not ask"))
		}
	})
	for path := range sentences {
		requireProblem(t, b.get(lookup+path), http.StatusForbidden, web.CodeForbidden, "this key may not ask")
	}
	for _, path := range []string{"", "/a", "/a/statement"} {
		requireProblem(t, b.get(accountsV2+path), http.StatusForbidden, web.CodeForbidden, "")
	}
	require.Len(t, scopes, len(sentences)+3)
	for _, scope := range scopes {
		require.Equal(t, "query", scope)
	}
}
