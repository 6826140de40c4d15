package archtest

import (
	"fmt"
	"go/ast"
	"regexp"
	"slices"
	"strings"
)

// CheckPackageComments wants exactly one package comment for each package, so that there is one place to read what
// flows in and out. In a folder that holds tests only, a test file carries it.
func CheckPackageComments(t *Tree) []Finding {
	type folder struct{ code, tests, codeDocs, testDocs []string }
	folders := map[string]*folder{}
	for _, f := range t.Files {
		d := folders[f.Dir()]
		if d == nil {
			d = &folder{}
			folders[f.Dir()] = d
		}
		files, docs := &d.code, &d.codeDocs
		if f.IsTest() {
			files, docs = &d.tests, &d.testDocs
		}
		*files = append(*files, f.Path)
		if f.AST.Doc != nil && strings.TrimSpace(f.AST.Doc.Text()) != "" {
			*docs = append(*docs, f.Path)
		}
	}
	var found []Finding
	for dir, d := range folders {
		docs := d.codeDocs
		if len(d.code) == 0 {
			docs = d.testDocs
		}
		switch {
		case len(docs) == 0:
			found = append(found, Finding{Path: dir, Text: "has no package comment: say what flows in and out"})
		case len(docs) > 1:
			found = append(found, Finding{Path: dir, Text: "has more than one package comment: " + strings.Join(docs, ", ")})
		}
	}
	slices.SortFunc(found, func(a, b Finding) int { return strings.Compare(a.Path, b.Path) })
	return found
}

// CheckDocs wants a doc comment on every exported name in the given top folders: functions, types, variables and
// constants (one for a group will do), methods of exported types, and the methods of exported interfaces, unless the
// interface's comment names the concrete type whose methods they are, as *eventstore.Store. Struct fields are left to
// judgement.
func CheckDocs(t *Tree, tops ...string) []Finding {
	var found []Finding
	for _, f := range t.Files {
		top, _, _ := strings.Cut(f.Path, "/")
		if f.IsTest() || ast.IsGenerated(f.AST) || !slices.Contains(tops, top) {
			continue
		}
		for _, id := range undocumented(f.AST) {
			found = append(found, Finding{
				Path: f.Path, Line: t.line(id), Text: fmt.Sprintf("exported %s has no doc comment", id.Name),
			})
		}
	}
	return found
}

func undocumented(file *ast.File) []*ast.Ident {
	var bare []*ast.Ident
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Doc == nil && d.Name.IsExported() && receiverIsExported(d) && !isSelfEvident(d) {
				bare = append(bare, d.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				bare = append(bare, undocumentedSpec(d, spec)...)
			}
		}
	}
	return bare
}

func undocumentedSpec(group *ast.GenDecl, spec ast.Spec) []*ast.Ident {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() {
			return undocumentedType(group, s)
		}
	case *ast.ValueSpec:
		if group.Doc == nil && s.Doc == nil && s.Comment == nil {
			return slices.DeleteFunc(slices.Clone(s.Names), func(n *ast.Ident) bool { return !n.IsExported() })
		}
	}
	return nil
}

func undocumentedType(group *ast.GenDecl, spec *ast.TypeSpec) []*ast.Ident {
	doc := spec.Doc
	if doc == nil && !group.Lparen.IsValid() {
		doc = group.Doc
	}
	var bare []*ast.Ident
	if doc == nil {
		bare = append(bare, spec.Name)
	}
	iface, ok := spec.Type.(*ast.InterfaceType)
	if !ok || concreteType.MatchString(doc.Text()) {
		return bare
	}
	for _, m := range iface.Methods.List {
		if m.Doc == nil && m.Comment == nil && len(m.Names) == 1 && m.Names[0].IsExported() {
			bare = append(bare, m.Names[0])
		}
	}
	return bare
}

// concreteType finds *package.Type in a comment.
var concreteType = regexp.MustCompile(`\*[a-z][a-z0-9]*\.[A-Z]\w*`)

// isSelfEvident names the methods whose interface in the standard library says all there is to say.
func isSelfEvident(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return false
	}
	return slices.Contains([]string{"Error", "Unwrap", "String", "LogValue"}, d.Name.Name)
}

func receiverIsExported(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	expr := d.Recv.List[0].Type
	for {
		switch e := expr.(type) {
		case *ast.StarExpr:
			expr = e.X
		case *ast.IndexExpr:
			expr = e.X
		case *ast.IndexListExpr:
			expr = e.X
		case *ast.Ident:
			return e.IsExported()
		default:
			return true
		}
	}
}
