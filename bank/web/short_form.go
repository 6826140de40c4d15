package web

import (
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// shortForm is the form of inputs and outputs that the short way takes, which
// those of commands have:
//
//   - of the input, parameters of path and headers that are texts without rules, and
//     a body that is a struct; it may be a [huma.Resolver], by what is embedded in it too;
//   - of the output, headers that are texts, and a body that is a struct.
type shortForm struct {
	path, headers []shortField
	body          []int // nil: none
	resolves      bool  // the input is a huma.Resolver
	outHeaders    []shortField
	outBody       []int
}

// shortField is a text of an input or output: a parameter, by its name in the
// route's pattern, or a header, by its canonical one.
type shortField struct {
	name  string
	index []int
}

// shortFormOf takes input and output apart. It is not ok where there is anything
// that is not known to be of the form.
func shortFormOf(in, out reflect.Type) (f *shortForm, ok bool) {
	f = &shortForm{resolves: reflect.PointerTo(in).Implements(reflect.TypeFor[huma.Resolver]())}
	ok = (f.resolves || !asked(in)) && eachField(in, f.addInput) && eachField(out, f.addOutput)
	return f, ok && f.outBody != nil
}

// eachField goes through the fields of a struct and of those that are embedded in
// it, until one is not wanted.
func eachField(t reflect.Type, add func(reflect.StructField) bool) bool {
	return !slices.ContainsFunc(reflect.VisibleFields(t), func(field reflect.StructField) bool {
		if field.Anonymous && field.Type.Kind() != reflect.Struct {
			return true
		}
		return !field.IsExported() && field.Anonymous || field.IsExported() && !add(field)
	})
}

func (f *shortForm) addInput(field reflect.StructField) bool {
	if field.Anonymous {
		return f.resolves || !asked(field.Type) // of an input that is asked itself, huma asks no embedded part
	}
	if field.Name == "Body" {
		f.body = field.Index
		return len(field.Index) == 1 && field.Type.Kind() == reflect.Struct && plainBody(field.Type, nil)
	}
	path, header := field.Tag.Get("path"), field.Tag.Get("header")
	switch {
	case field.Type != reflect.TypeFor[string]() || !onlyTagged(field.Tag, "path", "header", "doc") || (path == "") == (header == ""):
		return false
	case path != "":
		f.path = append(f.path, shortField{path, field.Index})
	default:
		f.headers = append(f.headers, shortField{http.CanonicalHeaderKey(header), field.Index})
	}
	return true
}

func (f *shortForm) addOutput(field reflect.StructField) bool {
	if field.Anonymous {
		return true
	}
	if field.Name == "Body" {
		f.outBody = field.Index
		filters := reflect.PointerTo(field.Type).Implements(reflect.TypeFor[huma.ContentTypeFilter]())
		return len(field.Index) == 1 && field.Type.Kind() == reflect.Struct && !filters
	}
	name := http.CanonicalHeaderKey(field.Tag.Get("header"))
	f.outHeaders = append(f.outHeaders, shortField{name, field.Index})
	return field.Type == reflect.TypeFor[string]() && name != "" && name != "Content-Type"
}

// onlyTagged tells whether a tag has no other keys than these.
func onlyTagged(tag reflect.StructTag, keys ...string) bool {
	rest := string(tag)
	for _, key := range keys {
		if value, ok := tag.Lookup(key); ok {
			rest = strings.Replace(rest, key+":"+strconv.Quote(value), "", 1)
		}
	}
	return strings.TrimSpace(rest) == ""
}

// asked tells whether huma asks a value of the type what it finds wrong.
func asked(t reflect.Type) bool {
	of := reflect.PointerTo(t)
	return of.Implements(reflect.TypeFor[huma.Resolver]()) || of.Implements(reflect.TypeFor[huma.ResolverWithPath]())
}

// plainBody tells whether huma would do no more with a body than have it decoded:
// there are no defaults in it, and nobody to be asked. within holds the types that
// it lies in.
func plainBody(t reflect.Type, within []reflect.Type) bool {
	switch {
	case slices.Contains(within, t):
		return true
	case asked(t):
		return false
	}
	within = append(within, t)
	switch t.Kind() { //nolint:exhaustive // others have nothing in them
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return plainBody(t.Elem(), within)
	case reflect.Struct:
		for field := range t.Fields() {
			if field.Tag.Get("default") != "" || !plainBody(field.Type, within) {
				return false
			}
		}
	}
	return true
}
