package consumers_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDocument: the document says what the routes do, wherever they are served.
func TestDocument(t *testing.T) {
	t.Parallel()
	var document struct {
		Paths map[string]map[string]struct {
			OperationID string                `json:"operationId"`
			Security    []map[string][]string `json:"security"`
			Parameters  []struct {
				Name     string `json:"name"`
				In       string `json:"in"`
				Required bool   `json:"required"`
			} `json:"parameters"`
			RequestBody struct {
				Required bool `json:"required"`
			} `json:"requestBody"`
			Responses map[string]any `json:"responses"`
		} `json:"paths"`
		Components struct {
			Schemas map[string]struct {
				Required   []string                  `json:"required"`
				Properties map[string]map[string]any `json:"properties"`
			} `json:"schemas"`
		} `json:"components"`
	}
	require.NoError(t, json.Unmarshal(newScene(t).api.Document(), &document))
	const always = "200 400 401 403 404 429 500 503"
	want := map[string]string{
		"get /api/v2/consumers":                                 "listConsumers [] 200 400 401 403 429 500 503",
		"get /api/v2/consumers/{name}/parked":                   "listParkedStreams [name pageSize pageToken] " + always,
		"get /api/v2/consumers/{name}/parked/{stream}":          "showParkedStream [name queueSize stream] " + always,
		"post /api/v2/consumers/{name}/parked/{stream}/redrive": "redriveParkedStream [name stream] " + always + " 504",
		"post /api/v2/consumers/{name}/parked/{stream}/discard": "discardEvent [name stream] 200 400 401 403 404 409 413 415 429 500 503 504",
		"get /api/v2/consumers/{name}/discarded":                "listDiscardedEvents [name pageSize pageToken] " + always,
	}
	got := make(map[string]string)
	for path, methods := range document.Paths {
		for method, op := range methods {
			require.NotEmpty(t, op.Security, path)
			for _, one := range op.Security {
				for _, scopes := range one {
					require.Equal(t, []string{"operate"}, scopes, path)
				}
			}
			parameters := make([]string, 0, len(op.Parameters))
			for _, p := range op.Parameters {
				require.Equal(t, p.In == "path", p.Required, "%s of %s", p.Name, path)
				parameters = append(parameters, p.Name)
			}
			slices.Sort(parameters)
			statuses := make([]string, 0, len(op.Responses))
			for status := range op.Responses {
				statuses = append(statuses, status)
			}
			slices.Sort(statuses)
			require.Equal(t, strings.HasSuffix(path, "/discard"), op.RequestBody.Required, path)
			got[method+" "+path] = op.OperationID + " [" + strings.Join(parameters, " ") + "] " + strings.Join(statuses, " ")
		}
	}
	require.Equal(t, want, got)

	schemas := document.Components.Schemas
	require.ElementsMatch(t, []string{"version", "reason"}, schemas["DiscardBody"].Required)
	require.Equal(t, "integer", schemas["DiscardBody"].Properties["version"]["type"])
	shown := schemas["ShowParkedOutputBody"]
	require.ElementsMatch(t, []string{"stream", "reason", "version", "error", "since", "queued", "queue"}, shown.Required)
	require.Contains(t, shown.Properties, "inTheWay")
	require.Contains(t, shown.Properties, "eventId")
	require.ElementsMatch(t, []string{"version", "eventId", "position", "type", "time", "payload", "payloadSize"},
		schemas["InTheWayBody"].Required)
}
