package main

import (
	"passbook/bank/access"
	"passbook/bank/consumers"
	"passbook/bank/web"
)

// addConsumer adds the routes about a consumer to the API of its service.
func (p *process) addConsumer(api *web.API, consumer consumers.Consumer) {
	consumers.Register(api, consumers.Config{Consumers: []consumers.Consumer{consumer}, By: access.Actor, Log: p.log})
}
