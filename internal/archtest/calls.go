package archtest

import (
	"go/ast"
	"slices"
	"strings"
)

// CheckSleep forbids time.Sleep in tests and test suites below the given top folders: a test that sleeps either wastes
// time or fails on a slow machine. It waits on a signal, polls a condition, or runs in a synctest bubble instead.
// Allowed maps the path of a file to the reason why it has to sleep.
func CheckSleep(t *Tree, rooms []Room, allowed map[string]string, tops ...string) []Finding {
	var found []Finding
	used := map[string]bool{}
	for _, f := range t.Files {
		top, _, _ := strings.Cut(f.Path, "/")
		room, _ := findRoom(rooms, f.Dir())
		if !slices.Contains(tops, top) || (!f.IsTest() && !room.Suite) {
			continue
		}
		alias := importName(f.AST, "time")
		ast.Inspect(f.AST, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || sel.Sel.Name != "Sleep" || alias == "" {
				return true
			}
			if id, ok := sel.X.(*ast.Ident); !ok || id.Name != alias {
				return true
			}
			used[f.Path] = true
			if allowed[f.Path] == "" {
				found = append(found, Finding{
					Path: f.Path, Line: t.line(sel), Text: "sleeps in a test: wait for what is to happen",
				})
			}
			return true
		})
	}
	for p := range allowed {
		if !used[p] {
			found = append(found, Finding{Path: p, Text: "is allowed to sleep and does not: remove the allowance"})
		}
	}
	return found
}

// importName is the name under which a file knows a package of the standard library, or nothing.
func importName(file *ast.File, pkg string) string {
	for _, spec := range file.Imports {
		switch {
		case unquote(spec.Path.Value) != pkg:
		case spec.Name != nil:
			return spec.Name.Name
		default:
			return pkg[strings.LastIndex(pkg, "/")+1:]
		}
	}
	return ""
}

// CheckInit forbids init functions: what they register is a global that no constructor shows.
func CheckInit(t *Tree) []Finding {
	var found []Finding
	for _, f := range t.Files {
		for _, decl := range f.AST.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				found = append(found, Finding{
					Path: f.Path, Line: t.line(fn), Text: "has an init function: pass a value to a constructor",
				})
			}
		}
	}
	return found
}

// CheckPanic wants a reason for every panic outside of tests: the name of its function begins with Must, the function's
// doc comment says when it panics, or a comment on the line of the panic or the one above says why it cannot happen.
func CheckPanic(t *Tree) []Finding {
	var found []Finding
	for _, f := range t.Files {
		if f.IsTest() {
			continue
		}
		explained := t.commentedLines(f.AST)
		for _, decl := range f.AST.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && mayPanic(fn) {
				continue
			}
			ast.Inspect(decl, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				id, ok := call.Fun.(*ast.Ident)
				if ok && id.Name == "panic" && !explained[t.line(call)] && !explained[t.line(call)-1] {
					found = append(found, Finding{
						Path: f.Path, Line: t.line(call), Text: "panics without a reason: return an error, or say why it cannot",
					})
				}
				return true
			})
		}
	}
	return found
}

func mayPanic(fn *ast.FuncDecl) bool {
	return strings.HasPrefix(strings.ToLower(fn.Name.Name), "must") || strings.Contains(fn.Doc.Text(), "panic")
}

// commentedLines are the lines on which a comment ends.
func (t *Tree) commentedLines(file *ast.File) map[int]bool {
	lines := map[int]bool{}
	for _, group := range file.Comments {
		lines[t.fset.Position(group.End()).Line] = true
	}
	return lines
}
