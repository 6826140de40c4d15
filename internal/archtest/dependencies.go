package archtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// CheckDependencies compares what our Go files import, tests included, with the reviewed list: a module on each line,
// followed by the reason for it. The marks in go.mod are not asked, they follow from a tidy run.
func CheckDependencies(t *Tree, path string) []Finding {
	reasons, found := parseReviewed(path, t.Texts[path])
	direct := map[string]*File{}
	for _, f := range t.Files {
		for _, spec := range f.AST.Imports {
			target := unquote(spec.Path.Value)
			first, _, _ := strings.Cut(target, "/")
			if !strings.Contains(first, ".") {
				continue
			}
			module := moduleOf(t.Requires, target)
			if module == "" {
				found = append(found, Finding{Path: f.Path, Line: t.line(spec), Text: target + " belongs to no module of go.mod"})
				continue
			}
			if direct[module] == nil {
				direct[module] = f
			}
		}
	}
	for _, module := range slices.Sorted(maps.Keys(direct)) {
		if _, ok := reasons[module]; !ok {
			found = append(found, Finding{
				Path: path,
				Text: fmt.Sprintf("does not list %s, which %s imports: is it needed? then say why", module, direct[module].Path),
			})
		}
	}
	for _, module := range slices.Sorted(maps.Keys(reasons)) {
		if direct[module] == nil {
			found = append(found, Finding{Path: path, Text: "lists " + module + ", which nothing imports"})
		}
	}
	return found
}

// parseReviewed reads the list; lines with a leading # are comments.
func parseReviewed(path, text string) (map[string]string, []Finding) {
	reasons := map[string]string{}
	var found []Finding
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		module, reason, _ := strings.Cut(line, " ")
		if strings.TrimSpace(reason) == "" {
			found = append(found, Finding{Path: path, Line: number, Text: module + " has no reason"})
		}
		if _, twice := reasons[module]; twice {
			found = append(found, Finding{Path: path, Line: number, Text: module + " stands here twice"})
		}
		reasons[module] = reason
	}
	return reasons, found
}

// moduleOf is the longest required module path that holds a package.
func moduleOf(requires []string, pkg string) string {
	longest := ""
	for _, m := range requires {
		if (pkg == m || strings.HasPrefix(pkg, m+"/")) && len(m) > len(longest) {
			longest = m
		}
	}
	return longest
}

// parseModFile reads the module's path and the required modules out of go.mod, which has one directive on a line.
func parseModFile(text string) (string, []string) {
	var module string
	var requires []string
	inRequire := false
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "//")
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0:
		case fields[0] == "module" && len(fields) == 2:
			module = fields[1]
		case fields[0] == "require" && len(fields) == 2 && fields[1] == "(":
			inRequire = true
		case fields[0] == "require" && len(fields) == 3:
			requires = append(requires, fields[1])
		case fields[0] == ")":
			inRequire = false
		case inRequire:
			requires = append(requires, fields[0])
		}
	}
	return module, requires
}
