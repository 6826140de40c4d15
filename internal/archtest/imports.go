package archtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const wiring = "cmd/passbook"

// CheckImports compares every import block with the table of rooms.
func CheckImports(t *Tree, rooms []Room) []Finding {
	var found []Finding
	unknown := map[string]bool{}
	for _, f := range t.Files {
		from, ok := findRoom(rooms, f.Dir())
		if !ok {
			if !unknown[f.Dir()] {
				unknown[f.Dir()] = true
				found = append(found, Finding{
					Path: f.Dir(), Text: "is no room of the table: add its row and its one sentence, or move the code",
				})
			}
			continue
		}
		for _, spec := range f.AST.Imports {
			target := unquote(spec.Path.Value)
			if why := refuse(t.Module, rooms, from, f, target); why != "" {
				found = append(found, Finding{Path: f.Path, Line: t.line(spec), Text: why})
			}
		}
	}
	return found
}

// refuse says why a file must not import target, or nothing.
func refuse(module string, rooms []Room, from Room, f *File, target string) string {
	dir, ours := strings.CutPrefix(target, module+"/")
	if !ours {
		return refuseForeign(from, f, target)
	}
	to, known := findRoom(rooms, dir)
	switch {
	case !known:
		return fmt.Sprintf("imports %s, which is no room of the table", dir)
	case to.Path == from.Path:
		return ""
	case to.Path == wiring:
		return wiring + " wires everything, so nobody imports it"
	case slices.ContainsFunc(from.May, func(p string) bool { return covers(p, to.Path) }) && !to.Suite:
		return ""
	case slices.Contains(from.May, to.Path):
		return ""
	case (f.IsTest() || from.Suite) && (to.Suite || strings.HasPrefix(to.Path, "engine/")):
		return ""
	case to.Suite:
		return fmt.Sprintf("%s is test code: only tests may import it", to.Path)
	default:
		return fmt.Sprintf("%s must not import %s: it may import %s", from.Path, to.Path, orNothing(from.May))
	}
}

// refuseForeign keeps the toolkit free of other people's modules, so that whoever takes it takes nothing else with it.
func refuseForeign(from Room, f *File, target string) string {
	first, _, _ := strings.Cut(target, "/")
	isStandard := !strings.Contains(first, ".")
	if isStandard || !strings.HasPrefix(from.Path, "es/") || from.Suite || f.IsTest() {
		return ""
	}
	return fmt.Sprintf("es imports the standard library only, not %s", target)
}

func orNothing(may []string) string {
	if len(may) == 0 {
		return "nothing of ours"
	}
	return strings.Join(may, ", ")
}

// unquote reads an import path; the parser has already refused malformed ones.
func unquote(literal string) string {
	s, err := strconv.Unquote(literal)
	if err != nil {
		return literal
	}
	return s
}
