package commandapi_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
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
	statuses := map[string][]string{
		"openBankAccount":  {"201", "400", "401", "403", "409", "412", "413", "415", "422", "429", "500", "503", "504"},
		"depositFunds":     {"200", "400", "401", "403", "409", "412", "413", "415", "422", "429", "500", "503", "504"},
		"withdrawFunds":    {"200", "400", "401", "403", "409", "412", "413", "415", "422", "429", "500", "503", "504"},
		"closeBankAccount": {"200", "400", "401", "403", "409", "412", "422", "429", "500", "503", "504"},
	}
	found := 0
	for path, methods := range document.Paths {
		for _, op := range methods {
			want, ok := statuses[op.OperationID]
			require.True(t, ok, path)
			found++
			var got, headers []string
			for status := range op.Responses {
				got = append(got, status)
			}
			require.ElementsMatch(t, want, got, op.OperationID)
			for _, parameter := range op.Parameters {
				if parameter.In == "header" {
					headers = append(headers, parameter.Name)
				}
			}
			require.ElementsMatch(t, []string{"Idempotency-Key", "If-Match", "X-Correlation-Id", "traceparent"}, headers)
		}
	}
	require.Len(t, statuses, found)
}
