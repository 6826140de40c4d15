package commandapi_test

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/web"
)

var update = flag.Bool("update", false, "write the API document instead of comparing it")

var documentPath = filepath.Join("..", "..", "contract", "openapi", "command.json")

func TestDocument_IsCurrent(t *testing.T) {
	document := open(t, func(s *setup) { s.api.Version = "development" }).Handler.(*web.API).Document()
	if *update {
		require.NoError(t, os.WriteFile(documentPath, document, 0o644))
	}
	written, err := os.ReadFile(documentPath)
	require.NoError(t, err)
	require.Equal(t, string(written), string(document), "contract/openapi/command.json is not current: run make gen")
}

func TestDocument(t *testing.T) {
	t.Parallel()
	var document struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Parameters  []struct {
				Name string `json:"name"`
				In   string `json:"in"`
			} `json:"parameters"`
			Responses map[string]any `json:"responses"`
		} `json:"paths"`
	}
	require.NoError(t, json.Unmarshal([]byte(open(t).send("GET", "/openapi.json", "").body), &document))
	const command, body = "400 401 403 409 412 422 429 500 503 504", " 413 415"
	statuses := map[string]string{
		"openBankAccount": "201 " + command + body, "depositFunds": "200 " + command + body,
		"withdrawFunds": "200 " + command + body, "closeBankAccount": "200 " + command,
		"openAccount": "201 " + command + body, "deposit": "201 404 " + command + body,
		"withdraw": "201 404 " + command + body, "closeAccount": "201 404 " + command + body,
		"restoreReadDb":  "201 400 401 403 429 500 503 504",
		"requestRestore": "202 400 401 403 429 500 503 504", "findRestore": "200 400 401 403 404 429 500 503",
	}
	headers := []string{"Idempotency-Key", "If-Match", "X-Correlation-Id", "traceparent"}
	found := 0
	for path, methods := range document.Paths {
		for _, op := range methods {
			want, ok := statuses[op.OperationID]
			require.True(t, ok, path)
			found++
			require.ElementsMatch(t, strings.Fields(want), slices.Collect(maps.Keys(op.Responses)), op.OperationID)
			var sent []string
			for _, parameter := range op.Parameters {
				if parameter.In == "header" {
					sent = append(sent, parameter.Name)
				}
			}
			switch op.OperationID {
			case "requestRestore":
				require.Equal(t, []string{"Idempotency-Key"}, sent)
			case "restoreReadDb", "findRestore":
				require.Empty(t, sent)
			default:
				require.ElementsMatch(t, headers, sent)
			}
		}
	}
	require.Len(t, statuses, found)
}
