package main

import (
	"net/http"
	"strings"
	"sync/atomic"

	"passbook/bank/web"
)

// door is the handler of an API whose service may not be there yet.
type door struct {
	notYet http.Handler
	api    atomic.Pointer[http.Handler]
}

// ServeHTTP implements http.Handler.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if api := d.api.Load(); api != nil {
		(*api).ServeHTTP(w, r)
		return
	}
	d.notYet.ServeHTTP(w, r)
}

// newDoor returns a door that is not open yet.
func (p *process) newDoor(probes *web.Probes) *door {
	return &door{notYet: web.NotYet(p.ofAPI(probes), adjustNotYet, p.log)}
}

// adjustNotYet gives problems of version-1 routes the members that their clients
// read.
func adjustNotYet(path string, problem *web.Problem) {
	if strings.HasPrefix(path, "/api/v1/") {
		problem.Message = problem.Detail
		problem.BankAccounts = web.Null(strings.HasPrefix(path, "/api/v1/bankAccountLookup"))
	}
}
