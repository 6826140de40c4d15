package commandapi

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"passbook/bank/web"
	"passbook/es/command"
)

const (
	v1Prefix = "/api/v1/"
	v1Tag    = "version 1"
)

// registerV1 adds the routes of version 1: paths, bodies, statuses and messages
// are those of the Java original, so that its clients work unchanged.
func (s *service) registerV1(api *web.API) {
	s.v1OpenBankAccount(api)
	s.v1DepositFunds(api)
	s.v1WithdrawFunds(api)
	s.v1CloseBankAccount(api)
	s.v1RestoreReadDb(api)
}

// adjustV1 gives problems of version-1 routes the statuses that its clients
// know, and the member that they read.
func adjustV1(path string, p *web.Problem) {
	if !strings.HasPrefix(path, v1Prefix) {
		return
	}
	switch p.Code {
	case web.CodeAccountNotFound, web.CodeAccountClosed, web.CodeInsufficientFunds:
		p.Status = http.StatusBadRequest
	default: // as in version 2
	}
	if p.Message == "" {
		p.Message = p.Detail
	}
}

// v1Message is the body of a success.
type v1Message struct {
	Message string `json:"message"`
}

type v1Output struct {
	AnswerHeaders
	Body v1Message
}

func v1Done(message string, result command.Result) *v1Output {
	return &v1Output{AnswerHeaders: answerHeaders(result), Body: v1Message{Message: message}}
}

// v1Send has a command carried out. sentence is what the original says, when it
// fails inside.
func (s *service) v1Send(ctx context.Context, how command.Circumstances, c any, sentence string) (command.Result, error) {
	result, err := s.commands.Send(ctx, how, c)
	if err != nil {
		return result, &v1Error{sentence: sentence, correlation: how.CorrelationID, err: err}
	}
	return result, nil
}

// v1Error keeps what a problem's message needs of the request.
type v1Error struct {
	sentence    string
	correlation string
	err         error
}

// Error implements error.
func (e *v1Error) Error() string { return e.err.Error() }

// Unwrap gives access to the command's error.
func (e *v1Error) Unwrap() error { return e.err }

// translate is the API's [web.Config].Translate. An error inside is logged here
// and not by package web, whose problem could not carry the sentence.
func (s *service) translate(ctx context.Context, err error) *web.Problem {
	p := problemOf(err)
	failure, ok := errors.AsType[*v1Error](err)
	if !ok {
		return p
	}
	if p == nil {
		s.log.ErrorContext(ctx, "command failed", "correlation", failure.correlation, "error", err)
		p = web.Internal()
		p.Detail = "the log has more under correlation " + failure.correlation
	}
	switch p.Code {
	case web.CodeInternal, web.CodeUnavailable, web.CodeOutcomeUnknown:
		p.Message = failure.sentence
	default: // the detail is the message
	}
	return p
}

// v1Operation is a route of version 1 that gives a command.
func v1Operation(op web.Operation, problems ...web.Code) web.Operation {
	op.Tags = []string{v1Tag}
	return commandOperation(op, problems...)
}
