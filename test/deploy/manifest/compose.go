package main

import (
	"context"
	"fmt"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// compose merges files as "docker compose -f FILE -f FILE" does, with every
// profile. The loader holds each file against the specification's schema and
// refuses names of secrets, networks and volumes that lead nowhere. Variables
// have their defaults.
func compose(ctx context.Context, files []string) (*types.Project, error) {
	options, err := cli.NewProjectOptions(files, cli.WithProfiles([]string{"*"}), cli.WithResolvedPaths(true))
	if err != nil {
		return nil, fmt.Errorf("compose files: %w", err)
	}
	project, err := options.LoadProject(ctx)
	if err != nil {
		return nil, fmt.Errorf("compose files: %w", err)
	}
	return project, nil
}
