// Command manifest reads what lies in deploy/ as the tools for it do, and prints
// what they make of it as JSON. Files of Compose, an overlay of kustomize or a
// Dockerfile come in; out comes the merged project, the list of objects, or the
// list of instructions. Whatever the tools or the schemas do not know is refused,
// with exit code 1; exit code 3 says that the schemas cannot be had here.
//
// It is a module of its own, so that what these tools depend on stays away from
// passbook. The tests beside it run it.
//
//	compose.go     Compose files, with the loader of Docker Compose
//	kubernetes.go  overlays, built with kustomize and held against schemas
//	schema.go      schemas of objects as JSON Schemas that allow nothing else
//	download.go    where the schemas come from
//	dockerfile.go  Dockerfiles, with the parser of BuildKit
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
)

const usage = "usage: manifest compose FILE..., manifest kubernetes FOLDER, manifest dockerfile FILE"

// errNoSchemas: the schemas cannot be fetched.
var errNoSchemas = errors.New("no schemas")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	result, err := read(ctx, os.Args[1:])
	stop()
	if err == nil {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(result)
	}
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "manifest:", err)
	if errors.Is(err, errNoSchemas) {
		os.Exit(3)
	}
	os.Exit(1)
}

func read(ctx context.Context, args []string) (any, error) {
	if len(args) < 2 {
		return nil, errors.New(usage)
	}
	switch kind, files := args[0], args[1:]; kind {
	case "compose":
		return compose(ctx, files)
	case "kubernetes":
		return kubernetes(ctx, files[0])
	case "dockerfile":
		return dockerfile(files[0])
	}
	return nil, errors.New(usage)
}
