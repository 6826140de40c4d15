package account

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// headerSchema describes the headers of a record of the feed: CloudEvents in
// Kafka's binary mode.
func headerSchema(name string) object {
	text := func(description string) object { return object{"type": "string", "description": description} }
	number := func(description string) object {
		return object{"type": "string", "pattern": "^(0|[1-9][0-9]*)$", "description": description}
	}
	constant := func(value, description string) object {
		return object{"type": "string", "const": value, "description": description}
	}
	return object{
		"type": "object",
		"required": []string{
			"content-type", "ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "ce_version", "ce_position",
		},
		"properties": object{
			"content-type":     constant("application/json", "Of the value."),
			"ce_specversion":   constant("1.0", "CloudEvents."),
			"ce_id":            text("The event's id: the same wherever the event goes, and however often it comes."),
			"ce_source":        text("/passbook/ and the id of the store's history. Versions and positions of two histories cannot be compared."),
			"ce_type":          constant(name, "Written name and schema version of the payload."),
			"ce_subject":       text("The account's id, which is also the record's key."),
			"ce_time":          object{"type": "string", "format": "date-time", "description": "When it happened; orders nothing."},
			"ce_version":       number("Of the account: 0, 1, 2 … without a gap. Whoever sees a version again has seen the event."),
			"ce_position":      number("In the whole store: 1, 2, 3 … without a gap, over all partitions together."),
			"ce_correlationid": text("Shared by everything that one request set off."),
			"ce_causationid":   text("Of the command behind the event."),
			"ce_imported":      constant("true", "There if the event was taken over from another store: nobody is to be told of it."),
			"traceparent":      text("W3C trace context."),
		},
	}
}

// asyncAPI describes the feed for programs that are not ours.
func asyncAPI(t *testing.T) object {
	t.Helper()
	messages, references := object{}, object{}
	operation := []object{}
	for _, name := range slices.Sorted(maps.Keys(payloads)) {
		title := payloads[name].Name()
		golden, err := os.ReadFile(filepath.Join("..", "golden", name+".json"))
		require.NoError(t, err)
		example := object{}
		require.NoError(t, json.Unmarshal(golden, &example))
		messages[title] = object{
			"name": name, "title": title, "contentType": "application/json",
			"headers":  headerSchema(name),
			"payload":  object{"$ref": "../schema/" + name + ".json"},
			"bindings": object{"kafka": object{"key": object{"type": "string", "description": "The account's id."}, "bindingVersion": "0.5.0"}},
			"examples": []object{{"payload": example}},
		}
		references[title] = object{"$ref": "#/components/messages/" + title}
		operation = append(operation, object{"$ref": "#/channels/accountEvents/messages/" + title})
	}
	return object{
		"asyncapi": "3.0.0",
		"info": object{
			"title": "passbook feed", "version": "1",
			"description": "Every event of every account, at least once, in order for each account, without a gap. " +
				"Repeats are equal to the byte and are told by ce_subject and ce_version.",
		},
		"defaultContentType": "application/json",
		"servers": object{"embedded": object{
			"host": "127.0.0.1:9092", "protocol": "kafka", "description": "The embedded broker of passbook serve.",
		}},
		"channels": object{"accountEvents": object{
			"address": "account-events", "messages": references,
			"bindings": object{"kafka": object{
				"topic": "account-events", "partitions": 6, "bindingVersion": "0.5.0",
				"topicConfiguration": object{"cleanup.policy": []string{"delete"}, "retention.ms": -1, "retention.bytes": -1},
			}},
		}},
		"operations": object{"publish": object{
			"action": "send", "summary": "What became true, as soon as it is durable.",
			"channel": object{"$ref": "#/channels/accountEvents"}, "messages": operation,
		}},
		"components": object{"messages": messages},
	}
}

func TestAsyncAPI_AreCurrent(t *testing.T) {
	document := asyncAPI(t)
	current(t, filepath.Join("..", "asyncapi", "feed.json"), document)
	text, err := json.Marshal(document)
	require.NoError(t, err)
	for _, reference := range strings.Split(string(text), `"$ref":"../`)[1:] {
		path, _, _ := strings.Cut(reference, `"`)
		require.FileExists(t, filepath.Join("..", path))
	}
}
