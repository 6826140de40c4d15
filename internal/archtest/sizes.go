package archtest

import (
	"fmt"
	"go/ast"
	"strings"
)

// Limits says how large things may grow.
type Limits struct {
	FileLines     int
	FunctionLines int
}

// Exception lets one file or function be larger than the limit, up to Lines, for a reason. It can only shrink: what has
// grown past Lines is a finding, and so is an exception that is not needed any more.
type Exception struct {
	Lines  int
	Reason string
}

// CheckSizes holds files and functions to the limits; tests and generated files are free. Exceptions are keyed by path,
// or by path and function: "es/event/codec.go" or "es/event/codec.go:Codec.Decode".
func CheckSizes(t *Tree, limits Limits, exceptions map[string]Exception) []Finding {
	var found []Finding
	used := map[string]bool{}
	check := func(key string, at Finding, lines, limit int) {
		if lines <= limit {
			return
		}
		e, ok := exceptions[key]
		if ok {
			used[key] = true
			limit = e.Lines
		}
		if lines > limit {
			at.Text = fmt.Sprintf("%s has %d lines, more than %d: does it have two subjects?", key, lines, limit)
			found = append(found, at)
		}
	}
	for _, f := range t.Files {
		if f.IsTest() || ast.IsGenerated(f.AST) {
			continue
		}
		check(f.Path, Finding{Path: f.Path}, strings.Count(t.Texts[f.Path], "\n"), limits.FileLines)
		for _, decl := range f.AST.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok {
				at := Finding{Path: f.Path, Line: t.line(fn)}
				check(f.Path+":"+functionName(fn), at, t.lines(fn), limits.FunctionLines)
			}
		}
	}
	return append(found, checkExceptions(exceptions, used)...)
}

func checkExceptions(exceptions map[string]Exception, used map[string]bool) []Finding {
	var found []Finding
	for key, e := range exceptions {
		if !used[key] {
			found = append(found, Finding{Path: key, Text: "needs its exception from the size limits no more: remove it"})
		}
		if e.Reason == "" {
			found = append(found, Finding{Path: key, Text: "has an exception from the size limits without a reason"})
		}
	}
	return found
}

// functionName is Name, or Type.Name for a method.
func functionName(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return fn.Name.Name
	}
	expr := fn.Recv.List[0].Type
	if star, ok := expr.(*ast.StarExpr); ok {
		expr = star.X
	}
	switch e := expr.(type) {
	case *ast.IndexExpr:
		expr = e.X
	case *ast.IndexListExpr:
		expr = e.X
	}
	if id, ok := expr.(*ast.Ident); ok {
		return id.Name + "." + fn.Name.Name
	}
	return fn.Name.Name
}
