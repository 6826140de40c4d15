package web

import (
	"bytes"
	"embed"
	"encoding/json"
	"net/http"
	"reflect"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

const (
	documentPath = "/openapi.json"
	docsPath     = "/docs"

	// bearerScheme names API keys in the document.
	bearerScheme = "apiKey"
)

// docsPolicy lets the page load its own two files and the document, and nothing
// else from anywhere.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

//go:embed docs
var docsFiles embed.FS

// Document returns the OpenAPI description of all registered operations as
// indented JSON. The same operations give the same bytes, in whatever order they
// were registered, so that two versions can be compared line by line.
//
// It panics if the document cannot be encoded, which only a value put there by
// [Operation].Document can cause.
func (a *API) Document() []byte {
	a.listCodes()
	compact, err := json.Marshal(a.huma.OpenAPI())
	if err != nil {
		panic("web: encode the API document: " + err.Error())
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, compact, "", "  "); err != nil {
		panic("web: indent the API document: " + err.Error())
	}
	indented.WriteByte('\n')
	return indented.Bytes()
}

// Schema describes a Go type among the document's components, for an
// [Operation].Document that has more to describe than input and output.
func (a *API) Schema(t reflect.Type) *huma.Schema {
	return a.huma.OpenAPI().Components.Schemas.Schema(t, true, "")
}

// problemCode is a row of the document's x-problem-codes, which /docs shows and
// every problem's type points to.
type problemCode struct {
	Code   Code   `json:"code"`
	Status int    `json:"status"`
	Title  string `json:"title"`
}

func (a *API) listCodes() {
	for _, code := range []Code{CodeNotFound, CodeMethodNotAllowed} {
		a.used[code] = true
	}
	rows := make([]problemCode, 0, len(a.used))
	for _, row := range codeTable {
		if a.used[row.code] {
			rows = append(rows, problemCode{row.code, row.status, row.title})
		}
	}
	a.huma.OpenAPI().Extensions = map[string]any{"x-problem-codes": rows}
}

// documentKeys describes API keys once an operation needs one.
func (a *API) documentKeys() {
	components := a.huma.OpenAPI().Components
	if components.SecuritySchemes != nil {
		return
	}
	components.SecuritySchemes = map[string]*huma.SecurityScheme{
		bearerScheme: {
			Type:        "http",
			Scheme:      "bearer",
			Description: "An API key, where the service was given keys; none is needed otherwise.",
		},
	}
}

// serveDocument adds the document, made when it is first asked for, and the page
// that shows it.
func (a *API) serveDocument() {
	document := sync.OnceValue(a.Document)
	a.site.handle("GET "+documentPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(document())
	})
	a.serveAsset(docsPath, "docs/index.html", "text/html; charset=utf-8")
	a.serveAsset(docsPath+"/docs.js", "docs/docs.js", "text/javascript; charset=utf-8")
	a.serveAsset(docsPath+"/docs.css", "docs/docs.css", "text/css; charset=utf-8")
}

func (a *API) serveAsset(path, file, contentType string) {
	content, err := docsFiles.ReadFile(file)
	if err != nil {
		panic(err) // the build embeds the file or fails
	}
	a.site.handle("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", contentType)
		h.Set("Cache-Control", "no-cache")
		h.Set("Content-Security-Policy", docsPolicy)
		h.Set("Referrer-Policy", "no-referrer")
		_, _ = w.Write(content)
	})
}
