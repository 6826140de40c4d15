package queryapi

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"passbook/bank/readmodel"
	"passbook/bank/web"
	"passbook/es/query"
)

type v2AccountInput struct {
	Waiting

	ID          string  `path:"id" doc:"The account's id." example:"97ebd5d8-9c2f-4dda-b59a-a1c62c20a6a8"`
	MinVersion  Integer `query:"minVersion" minimum:"0" doc:"Answer from a state in which the account has this version at least. An account that is not known yet is waited for too."`
	AtVersion   Integer `query:"atVersion" minimum:"0" doc:"The account as it was when it had this version."`
	At          string  `query:"at" format:"date-time" doc:"The account as it was at this moment, after the longest run of its events whose times are all at or before it. Not in the future." example:"2026-11-22T06:24:00Z"`
	IfNoneMatch string  `header:"If-None-Match" doc:"ETags that are known already, or *." example:"\"1\""`
}

// v2AccountOutput is the account with its ETag, or 304 with the ETag alone.
type v2AccountOutput struct {
	Status int
	ETag   string `header:"ETag" doc:"The version, in quotes."`
	Body   v2Account
}

func (s *service) v2FindAccount(api *web.API) {
	op := v2Operation(web.Operation{
		ID: "findAccount", Path: v2Accounts + "/{id}", Summary: "One account, as it is or as it was",
		Doc: "Open or closed. A version above the account's is not-yet-visible: it may be on its way, and the read side cannot " +
			"know; minVersion with wait waits for it. An account is not found as of a moment before its opening. " +
			"Of a moment that has only just passed, events may still be on their way: minVersion or minPosition make sure.\n\n" +
			"Where an event of the account was discarded, the state as of its version is that before it.",
		Also: []int{http.StatusNotModified},
	}, web.CodeAccountNotFound)
	op.Document = func(described *huma.Operation) {
		v2Example(v2AccountExample)(described)
		described.Responses["304"].Description = "The account has one of the versions in If-None-Match."
	}
	web.Register(api, op, s.v2Account)
}

func (s *service) v2Account(ctx context.Context, in *v2AccountInput) (*v2AccountOutput, error) {
	asked, err := s.accountQuestion(in)
	if err != nil {
		return nil, err
	}
	if err := s.await(ctx, in.Waiting, awaited{id: in.ID, version: in.MinVersion}); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	found, err := query.Ask[readmodel.Account](ctx, s.questions, asked)
	notReached, isNotReached := errors.AsType[*readmodel.NotReachedError](err)
	switch {
	case errors.Is(err, readmodel.ErrNotFound):
		return nil, accountNotFound()
	case isNotReached:
		return nil, web.NotYetVisible(notReached.Reached, retryAfter)
	case err != nil:
		return nil, err
	}
	out := &v2AccountOutput{Status: http.StatusOK, ETag: eTag(found.Version), Body: v2AccountOf(found)}
	if matches(in.IfNoneMatch, out.ETag) {
		out.Status = http.StatusNotModified
	}
	return out, nil
}

// accountQuestion judges the parameters, and chooses between now and then.
func (s *service) accountQuestion(in *v2AccountInput) (any, error) {
	var wrong faults
	at := wrong.instant("at", in.At)
	if at.After(s.now()) {
		wrong.add("at", "must not be in the future")
	}
	if in.At != "" && in.AtVersion.Given {
		wrong.add("at", "must not be given with atVersion")
	}
	switch err := wrong.err(); {
	case err != nil:
		return nil, err
	case in.AtVersion.Given:
		return FindAccountAtVersion{ID: in.ID, Version: in.AtVersion.Value}, nil
	case in.At != "":
		return FindAccountAtTime{ID: in.ID, At: at}, nil
	}
	return FindAccountByID{ID: in.ID}, nil
}

func eTag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// matches tells whether a list of ETags, as in If-None-Match, has this one. It
// is compared weakly, as it should be there: W/"3" is "3". No ETag of ours has a
// comma in it.
func matches(list, etag string) bool {
	for one := range strings.SplitSeq(list, ",") {
		one = strings.TrimSpace(one)
		if one == "*" || strings.TrimPrefix(one, "W/") == etag {
			return true
		}
	}
	return false
}
