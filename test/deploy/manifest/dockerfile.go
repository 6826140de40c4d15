package main

import (
	"fmt"
	"os"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// stage is one FROM of a Dockerfile with what follows it.
type stage struct {
	Name     string   `json:"name"`
	Base     string   `json:"base"`
	Commands []string `json:"commands"`
}

// dockerfile reads a Dockerfile; what the linter has to say is an error too.
func dockerfile(path string) ([]stage, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	parsed, err := parser.Parse(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var complaints error
	lint := linter.New(&linter.Config{Warn: func(rule, _, _, complaint string, at []parser.Range) {
		complaints = fmt.Errorf("%s: %s: %s %v", path, rule, complaint, at)
	}})
	stages, _, err := instructions.Parse(parsed.AST, lint)
	if err == nil {
		err = complaints
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var found []stage
	for _, s := range stages {
		one := stage{Name: s.Name, Base: s.BaseName}
		for _, command := range s.Commands {
			text, ok := command.(fmt.Stringer)
			if !ok {
				return nil, fmt.Errorf("%s: %s cannot be shown", path, command.Name())
			}
			one.Commands = append(one.Commands, text.String())
		}
		found = append(found, one)
	}
	return found, nil
}
