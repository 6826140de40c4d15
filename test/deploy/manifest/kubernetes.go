package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// kubernetes builds an overlay as "kubectl kustomize" does, and holds each object
// against the schema of its kind.
func kubernetes(ctx context.Context, folder string) ([]json.RawMessage, error) {
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", folder, err)
	}
	known, err := loadSchemas(ctx)
	if err != nil {
		return nil, err
	}
	var objects []json.RawMessage
	var faults []error
	for _, resource := range built.Resources() {
		object, err := resource.MarshalJSON()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", resource.CurId(), err)
		}
		if err := known.check(object); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", resource.CurId(), err))
		}
		objects = append(objects, object)
	}
	return objects, errors.Join(faults...)
}

func (s *schemas) check(object []byte) error {
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(object))
	if err != nil {
		return err
	}
	var of struct{ APIVersion, Kind string }
	if err := json.Unmarshal(object, &of); err != nil {
		return err
	}
	schema, err := s.of(of.APIVersion, of.Kind)
	if err != nil {
		return err
	}
	return schema.Validate(instance)
}
