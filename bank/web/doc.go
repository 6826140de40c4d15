// Package web is the HTTP ground on which the bank's APIs stand. Requests flow
// in as [net/http] delivers them; typed values flow on to the handlers that
// [Register] was given; JSON bodies and problem details flow out.
//
// What it settles once, so that no API has to:
//
//   - Bodies are decoded exactly once, by a codec that matches members by their
//     exact case and refuses repeated members, invalid UTF-8 and trailing data.
//     Values are judged by the caller's value objects, never by a schema: a
//     schema that reads the body in its own way can pass what the decoder then
//     reads differently.
//   - Every refusal is a [Problem], whoever found the fault: the router, the
//     body reader, huma or a handler. No problem repeats a value of the request
//     or carries internal text.
//   - Routes answer with and without a trailing slash, HEAD works as GET, and
//     an unknown route or method gets a problem with the right headers.
//   - The API describes itself under /openapi.json and /docs without loading
//     anything from another site, and tells its state under /livez, /readyz and
//     /metrics.
//   - A [Server] that stops finishes the requests that it accepted.
//
// What it does not do: decide who may call (see [Config].Admit), judge amounts,
// or turn domain errors into codes (see [Config].Translate). Requests that
// net/http refuses before any handler runs (a malformed request line, headers
// over the limit) get net/http's own plain answer.
//
// Files, in the order in which a request meets them:
//
//	server.go     listener, time-outs, graceful stop
//	localhost.go  refusal of foreign host names on loopback
//	site.go       routing, trailing slash, 404 and 405, panics, headers
//	metrics.go    request counts and durations
//	api.go        Config and API: what the routes of one service share
//	register.go   Register: one operation, its document and its handler
//	operation.go  the bridge to huma: what goes in, what comes back
//	short_way.go  the way past huma for commands; short_form.go who may take it
//	media.go      content types and the limit of a body
//	decode.go     the strict JSON decoder
//	number.go     numbers that keep their text
//	problem.go    the problem body; code.go its codes; refusal.go one constructor for each
//	document.go   /openapi.json and /docs
//	probes.go     /livez, /readyz, /metrics
//	not_yet.go    an API whose service is not there yet
package web
