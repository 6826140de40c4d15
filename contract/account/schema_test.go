package account

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

//go:generate go test -count=1 -run "^Test(Schemas|AsyncAPI)_AreCurrent$" . -update
var update = flag.Bool("update", false, "write the generated files")

// payloads are the structs of all event versions, by their written names.
var payloads = map[string]reflect.Type{
	written(OpenedName, OpenedSchema):       reflect.TypeFor[Opened](),
	written(DepositedName, DepositedSchema): reflect.TypeFor[Deposited](),
	written(WithdrawnName, WithdrawnSchema): reflect.TypeFor[Withdrawn](),
	written(ClosedName, ClosedSchema):       reflect.TypeFor[Closed](),
}

// object is a JSON object; encoding/json writes its members in alphabetical
// order, so that the files are the same each time.
type object = map[string]any

// schemaOf describes what is written for a payload: nothing else may stand in
// it, for a new member makes a new schema version.
func schemaOf(t *testing.T, name string, payload reflect.Type, docs map[string]string) object {
	t.Helper()
	properties, required := object{}, []string{}
	for field := range payload.Fields() {
		member, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if options != "omitempty" {
			required = append(required, member)
		}
		property := typeSchema(t, field.Type)
		if doc := docs[payload.Name()+"."+field.Name]; doc != "" {
			property["description"] = doc
		}
		properties[member] = property
	}
	return object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:" + name, "title": name,
		"description": docs[payload.Name()],
		"type":        "object", "properties": properties, "required": required, "additionalProperties": false,
	}
}

func typeSchema(t *testing.T, kind reflect.Type) object {
	t.Helper()
	switch kind {
	case reflect.TypeFor[Money]():
		return object{
			"type": "object", "required": []string{"amount", "currency"}, "additionalProperties": false,
			"properties": object{
				"amount": object{
					"type": "string", "pattern": `^(0|[1-9][0-9]{0,11})(\.[0-9]{1,4})?$`,
					"description": "A decimal with exactly as many decimals as the currency has.",
				},
				"currency": object{"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217"},
			},
		}
	case reflect.TypeFor[Type]():
		return object{"type": "string", "enum": []Type{Savings, Current}}
	case reflect.TypeFor[string]():
		return object{"type": "string", "minLength": 1, "maxLength": TextLengthMax, "pattern": `^\P{Cc}*$`}
	}
	t.Fatalf("no schema for %s", kind)
	return nil
}

// docsOf reads the comments of the payload structs and of their fields.
func docsOf(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "event.go", nil, parser.ParseComments)
	require.NoError(t, err)
	docs := make(map[string]string)
	line := func(group *ast.CommentGroup) string { return strings.Join(strings.Fields(group.Text()), " ") }
	for _, declaration := range file.Decls {
		general, ok := declaration.(*ast.GenDecl)
		if !ok || general.Tok != token.TYPE {
			continue
		}
		spec := general.Specs[0].(*ast.TypeSpec)
		docs[spec.Name.Name] = line(general.Doc)
		for _, field := range spec.Type.(*ast.StructType).Fields.List {
			docs[spec.Name.Name+"."+field.Names[0].Name] = line(field.Doc)
		}
	}
	return docs
}

// current compares a generated file with the one that is there, or writes it.
func current(t *testing.T, path string, content any) {
	t.Helper()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	require.NoError(t, encoder.Encode(content))
	if *update {
		require.NoError(t, os.WriteFile(path, text.Bytes(), 0o644))
	}
	there, err := os.ReadFile(path)
	require.NoError(t, err, "run make gen")
	require.Equal(t, text.String(), string(there), "run make gen")
}

func TestSchemas_AreCurrent(t *testing.T) {
	docs := docsOf(t)
	for name, payload := range payloads {
		current(t, filepath.Join("..", "schema", name+".json"), schemaOf(t, name, payload, docs))
	}
	files, err := filepath.Glob(filepath.Join("..", "schema", "*.json"))
	require.NoError(t, err)
	require.Len(t, files, len(recoders), "every event version that was ever written has a schema")
}

// judge tells whether a payload fits a schema.
func judge(t require.TestingT, schema *jsonschema.Schema, payload []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(payload))
	require.NoError(t, err)
	return schema.Validate(value)
}

func compiled(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join("..", "schema", name+".json"))
	require.NoError(t, err)
	return schema
}

func TestSchemas_Golden(t *testing.T) {
	for name := range recoders {
		schema := compiled(t, name)
		golden, err := os.ReadFile(filepath.Join("..", "golden", name+".json"))
		require.NoError(t, err)
		require.NoError(t, judge(t, schema, golden), name)

		var members map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(golden, &members))
		for _, required := range schema.Required {
			kept := members[required]
			delete(members, required)
			without, err := json.Marshal(members)
			require.NoError(t, err)
			require.Error(t, judge(t, schema, without), "%s without %s", name, required)
			members[required] = kept
		}
		members["surprise"] = json.RawMessage(`1`)
		with, err := json.Marshal(members)
		require.NoError(t, err)
		require.Error(t, judge(t, schema, with), "%s with another member", name)
	}
}

// drawAmount draws what a payload can hold: nothing in it is below zero.
func drawAmount(t *rapid.T) Money {
	m := drawMoney(t)
	if m.Sign() >= 0 {
		return m
	}
	m, err := NewMoney(-m.Minor(), m.Currency())
	require.NoError(t, err)
	return m
}

// What can be written fits its schema, whatever amounts and texts there are.
func TestSchemas_Property(t *testing.T) {
	deposited, opened := compiled(t, "passbook.account.deposited.v1"), compiled(t, "passbook.account.opened.v1")
	text := rapid.StringMatching(`[A-Za-zäß €𝄞.-]{1,200}`)
	rapid.Check(t, func(t *rapid.T) {
		payload, err := json.Marshal(Deposited{Amount: drawAmount(t), Balance: drawAmount(t), Reference: text.Draw(t, "reference")})
		require.NoError(t, err)
		require.NoError(t, judge(t, deposited, payload), string(payload))
		payload, err = json.Marshal(Opened{
			AccountHolder: text.Draw(t, "holder"), AccountType: rapid.SampledFrom([]Type{Savings, Current}).Draw(t, "type"),
			OpeningBalance: drawAmount(t), Phone: text.Draw(t, "phone"),
		})
		require.NoError(t, err)
		require.NoError(t, judge(t, opened, payload), string(payload))
	})
}
