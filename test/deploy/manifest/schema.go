package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"
)

// object is a JSON object of a schema.
type object = map[string]any

// schemas are those of all kinds that are known, by apiVersion and kind.
type schemas struct {
	compiler *jsonschema.Compiler
	places   map[string]string
}

const builtin = "kubernetes.json"

// loadSchemas reads Kubernetes' own description of its API, and the definitions
// of the kinds of others that are used here.
func loadSchemas(ctx context.Context) (*schemas, error) {
	s := &schemas{compiler: jsonschema.NewCompiler(), places: make(map[string]string)}
	s.compiler.DefaultDraft(jsonschema.Draft4)
	if err := s.addBuiltin(ctx); err != nil {
		return nil, err
	}
	for _, crd := range []struct {
		from source
		path string
	}{
		{keda, "config/crd/bases/keda.sh_scaledobjects.yaml"},
		{keda, "config/crd/bases/keda.sh_triggerauthentications.yaml"},
		{prometheus, "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml"},
		{prometheus, "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml"},
	} {
		if err := s.addDefinition(ctx, crd.from, crd.path); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *schemas) of(apiVersion, kind string) (*jsonschema.Schema, error) {
	place, ok := s.places[apiVersion+" "+kind]
	if !ok {
		return nil, fmt.Errorf("there is no schema for %s %s", apiVersion, kind)
	}
	return s.compiler.Compile(place)
}

func (s *schemas) addBuiltin(ctx context.Context) error {
	path, err := api.file(ctx, "api/openapi-spec/swagger.json")
	if err != nil {
		return err
	}
	var swagger struct {
		Definitions object `json:"definitions"`
	}
	if err := readYAML(path, &swagger); err != nil {
		return err
	}
	for name, definition := range swagger.Definitions {
		of, ok := definition.(object)
		if !ok {
			return fmt.Errorf("%s: definition %s is no object", path, name)
		}
		kinds, _ := of["x-kubernetes-group-version-kind"].([]any)
		for _, one := range kinds {
			kind, _ := one.(object)
			version := strings.TrimPrefix(fmt.Sprintf("%v/%v", kind["group"], kind["version"]), "/")
			s.places[fmt.Sprintf("%v %v", version, kind["kind"])] = builtin + "#/definitions/" + name
		}
	}
	seal(swagger.Definitions)
	return s.compiler.AddResource(builtin, object{"definitions": swagger.Definitions})
}

// addDefinition adds the kind that a CustomResourceDefinition defines.
func (s *schemas) addDefinition(ctx context.Context, from source, path string) error {
	path, err := from.file(ctx, path)
	if err != nil {
		return err
	}
	var definition struct {
		Spec struct {
			Group string
			Names struct{ Kind string }

			Versions []struct {
				Name   string
				Schema struct {
					OpenAPI object `json:"openAPIV3Schema"`
				}
			}
		}
	}
	if err := readYAML(path, &definition); err != nil {
		return err
	}
	for _, version := range definition.Spec.Versions {
		apiVersion, kind := definition.Spec.Group+"/"+version.Name, definition.Spec.Names.Kind
		if properties, ok := version.Schema.OpenAPI["properties"].(object); ok {
			properties["metadata"] = object{"$ref": builtin + "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
		}
		seal(version.Schema.OpenAPI)
		place := strings.ReplaceAll(apiVersion, "/", "-") + "-" + kind + ".json"
		if err := s.compiler.AddResource(place, version.Schema.OpenAPI); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		s.places[apiVersion+" "+kind] = place
	}
	return nil
}

func readYAML(path string, into any) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := yaml.Unmarshal(content, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// seal has every object below a schema allow the properties that it names and
// no others: the server drops what it does not know, and a misspelt setting with
// it. What is a number or a string may be either.
func seal(schema any) {
	switch node := schema.(type) {
	case []any:
		for _, each := range node {
			seal(each)
		}
	case object:
		for _, each := range node {
			seal(each)
		}
		if node["format"] == "int-or-string" || node["x-kubernetes-int-or-string"] == true {
			node["type"] = []any{"integer", "string"}
			delete(node, "anyOf")
		}
		if _, named := node["format"].(string); named { // else it is a property of that name
			delete(node, "format") // names of types in Go, which JSON Schema has no idea of
		}
		_, properties := node["properties"].(object)
		_, more := node["additionalProperties"]
		if properties && !more && node["type"] == "object" && node["x-kubernetes-preserve-unknown-fields"] != true {
			node["additionalProperties"] = false
		}
	}
}
