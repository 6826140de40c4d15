// Package archtest checks the project's source against the project's own rules: who may import whom, what must be
// documented, how large things may grow, which calls and words stay out. Go files and the module file flow in, findings
// flow out; the tests of this package fail on any finding.
//
// Everything is parsed in the process of the test, so the files that are read are inputs of the test and a cached
// result is dropped when one of them changes. A test that asks another program for the imports would be cached as
// passing over a broken tree.
package archtest

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Tree is the module's source, parsed.
type Tree struct {
	Module   string            // the module's path, from go.mod
	Requires []string          // the paths of all required modules, direct or not
	Files    []*File           // the Go files of this module, by path
	Texts    map[string]string // every other text file and the Go files, by path
	fset     *token.FileSet
}

// File is one Go file of the module.
type File struct {
	Path string // from the module's folder, with slashes
	AST  *ast.File
}

// Finding is one place where a rule is broken.
type Finding struct {
	Path string
	Line int // 0 when it is about the whole file or folder
	Text string
}

func (f Finding) String() string {
	if f.Line == 0 {
		return f.Path + ": " + f.Text
	}
	return fmt.Sprintf("%s:%d: %s", f.Path, f.Line, f.Text)
}

// Dir is the folder of the file, from the module's folder.
func (f *File) Dir() string { return path.Dir(f.Path) }

// IsTest tells whether the file is compiled for tests only.
func (f *File) IsTest() bool { return strings.HasSuffix(f.Path, "_test.go") }

// line is where a node starts.
func (t *Tree) line(n ast.Node) int { return t.fset.Position(n.Pos()).Line }

// lines is how many lines a node covers.
func (t *Tree) lines(n ast.Node) int {
	return t.fset.Position(n.End()).Line - t.fset.Position(n.Pos()).Line + 1
}

// Root finds the module's folder: the nearest one at or above dir that has a go.mod.
func Root(dir string) (string, error) {
	for {
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod in the working folder or above it")
		}
		dir = parent
	}
}

// Load reads the module whose go.mod lies at the root of fsys. Folders that the go command passes over (testdata, names
// with a leading dot or underscore, modules of their own) hold no Go files of the module, but their texts are read.
// What .gitignore names is not read at all.
func Load(fsys fs.FS) (*Tree, error) {
	t := &Tree{Texts: map[string]string{}, fset: token.NewFileSet()}
	mod, err := fs.ReadFile(fsys, "go.mod")
	if err != nil {
		return nil, err
	}
	t.Module, t.Requires = parseModFile(string(mod))
	if t.Module == "" {
		return nil, errors.New("go.mod: no module line")
	}
	ignored, err := readIgnored(fsys)
	if err != nil {
		return nil, err
	}
	err = fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case p != "." && (p == ".git" || ignored(p, d.IsDir())):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.Type().IsRegular():
			return t.add(fsys, p)
		default:
			return nil
		}
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// add takes in one file. Files with a zero byte are not text.
func (t *Tree) add(fsys fs.FS, name string) error {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	if slices.Contains(text, 0) {
		return nil
	}
	t.Texts[name] = string(text)
	if !strings.HasSuffix(name, ".go") || !isBuilt(fsys, path.Dir(name)) {
		return nil
	}
	file, err := parser.ParseFile(t.fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	t.Files = append(t.Files, &File{Path: name, AST: file})
	return nil
}

// isBuilt tells whether the go command takes a folder for a part of the module.
func isBuilt(fsys fs.FS, dir string) bool {
	for ; dir != "."; dir = path.Dir(dir) {
		base := path.Base(dir)
		if base == "testdata" || base == "vendor" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
			return false
		}
		if _, err := fs.Stat(fsys, dir+"/go.mod"); err == nil {
			return false
		}
	}
	return true
}

// readIgnored understands the two forms that the project's .gitignore keeps to: /path/ or /path from the root, and a
// pattern for names anywhere.
func readIgnored(fsys fs.FS) (func(name string, dir bool) bool, error) {
	text, err := fs.ReadFile(fsys, ".gitignore")
	if errors.Is(err, fs.ErrNotExist) {
		return func(string, bool) bool { return false }, nil
	}
	if err != nil {
		return nil, err
	}
	var patterns []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "#") {
			patterns = append(patterns, line)
		}
	}
	return func(name string, dir bool) bool {
		return slices.ContainsFunc(patterns, func(p string) bool {
			p, folder := strings.CutSuffix(p, "/")
			if folder && !dir {
				return false
			}
			rooted, ok := strings.CutPrefix(p, "/")
			if ok {
				return name == rooted
			}
			matched, err := path.Match(p, path.Base(name))
			return err == nil && matched
		})
	}, nil
}
