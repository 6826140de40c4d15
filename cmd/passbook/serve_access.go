package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"passbook/bank/access"
	"passbook/bank/web"
	"passbook/es/run"
)

// Requests a second that one client may make where PASSBOOK_RATE_LIMIT does not
// say. Without keys everybody on the machine is one client, and what is to be
// stopped is a program that has run wild, not the one who measures.
const (
	rateWithKeys    = 1_000
	rateWithoutKeys = 50_000
)

// addAccess opens the file of API keys and makes the gate that the APIs share.
func (p *process) addAccess(context.Context) error {
	config := access.Config{Rate: float64(p.settings.rateLimit)}
	if config.Rate == 0 {
		config.Rate = rateWithoutKeys
	}
	if p.settings.apiKeys != "" {
		if p.settings.rateLimit == 0 {
			config.Rate = rateWithKeys
		}
		file, err := access.OpenFile(p.settings.apiKeys, p.log)
		if err != nil {
			return refuse("PASSBOOK_API_KEYS", "api-keys", err)
		}
		config.Keys = file.Keys
		p.parts = append(p.parts, run.Part{Name: "API keys", Run: file.Run})
	}
	config.Burst = int(2 * config.Rate)
	p.gate = access.New(config)
	return nil
}

// server returns a server for an API. On loopback, without API keys, it keeps
// out pages of other sites that let their own name point here.
func (p *process) server(addr string, api http.Handler) *web.Server {
	if loopback(addr) && p.settings.apiKeys == "" {
		api = web.LocalHost(api)
	}
	return web.NewServer(addr, api, &web.ServerConfig{Drain: serversDrain, Log: p.log})
}

// checkAddresses refuses addresses that other machines can reach, unless API
// keys keep strangers out, or it is wanted all the same.
func (s *settings) checkAddresses() error {
	var faults []error
	check := func(variable, flag, addr string, used, guarded bool) {
		switch {
		case !used:
		case checkAddr(addr) != nil && addr != "":
			faults = append(faults, refuse(variable, flag, fmt.Errorf("%q is no address: want HOST:PORT", addr)))
		case s.insecure || guarded || loopback(addr):
		case s.apiKeys == "":
			faults = append(faults, refuse(variable, flag, fmt.Errorf("%s can be reached from other machines, and there are no API keys: "+
				"use a loopback address, set PASSBOOK_API_KEYS, or PASSBOOK_INSECURE=true if something else keeps strangers out", addr)))
		default:
			faults = append(faults, refuse(variable, flag, fmt.Errorf("%s can be reached from other machines, and API keys do not guard it: "+
				"use a loopback address, or PASSBOOK_INSECURE=true if something else keeps strangers out", addr)))
		}
	}
	keys := s.apiKeys != ""
	check("PASSBOOK_COMMAND_ADDR", "command-addr", s.command, s.roles[roleCommand], keys)
	check("PASSBOOK_QUERY_ADDR", "query-addr", s.query, s.roles[roleQuery], keys)
	check("PASSBOOK_NOTIFY_ADDR", "notify-addr", s.notify.addr, s.roles[roleNotify], keys)
	check("PASSBOOK_OPS_ADDR", "ops-addr", s.ops, s.ops != "", false)
	if s.broker.embedded {
		check("PASSBOOK_BROKER", "broker", s.broker.addrs[0], s.roles[roleBroker], false)
	}
	return errors.Join(faults...)
}
