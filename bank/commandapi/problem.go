package commandapi

import (
	"errors"
	"time"

	"passbook/bank/account"
	"passbook/bank/web"
	contract "passbook/contract/account"
	"passbook/es/aggregate"
	"passbook/es/eventstore"
)

// retryAfter is when it is worth to come back after what passes by itself.
const retryAfter = time.Second

// problemOf is the one place where errors of the rooms below get their code. It
// returns nil for an error that is none of the client's business.
func problemOf(err error) *web.Problem {
	if refusal, ok := errors.AsType[*account.Refusal](err); ok {
		return refused(refusal)
	}
	if mismatch, ok := errors.AsType[*aggregate.VersionError](err); ok {
		return web.PreconditionFailed(mismatch.Expected, mismatch.Actual)
	}
	if p := restoreProblemOf(err); p != nil {
		return p
	}
	switch {
	case errors.Is(err, aggregate.ErrKeyReused):
		return web.IdempotencyKeyReused("this key was used for a request with another method, path, body or If-Match")
	case errors.Is(err, aggregate.ErrKeyInFlight):
		return web.IdempotencyKeyInFlight(retryAfter)
	case errors.Is(err, eventstore.ErrOutcomeUnknown):
		return web.OutcomeUnknown("the event store did not confirm the command in time: send the request again with the same " +
			"Idempotency-Key to learn what became of it")
	case errors.Is(err, eventstore.ErrConflict):
		return conflict(err)
	case errors.Is(err, eventstore.ErrOverloaded):
		return web.TooManyRequests("too many commands are waiting; nothing has happened", retryAfter)
	case errors.Is(err, eventstore.ErrUnavailable):
		return web.Unavailable("the event store cannot be reached; nothing has happened", retryAfter)
	}
	return nil
}

// restoreProblemOf is problemOf for the errors of [Restores]. An error that says
// for certain that nothing has happened wins over one that leaves it open.
func restoreProblemOf(err error) *web.Problem {
	switch {
	case errors.Is(err, ErrNoRestore):
		return web.NotFound("there is no restore with this id")
	case errors.Is(err, ErrRestoresUnavailable):
		return web.Unavailable("restores cannot be asked for now, since the broker cannot be reached or no relay has "+
			"worked on it yet; nothing has happened", retryAfter)
	case errors.Is(err, errNoRestores):
		return web.Unavailable("this process was started without a broker, over which restores are asked for", retryAfter)
	case errors.Is(err, ErrRestoreUncertain):
		return web.OutcomeUnknown("it is not known whether the restore was asked for: ask again, and one that runs is answered with")
	}
	return nil
}

// refused gives a refusal its problem: both sides use the same codes.
func refused(r *account.Refusal) *web.Problem {
	p := web.NewProblem(web.Code(r.Code), r.Message)
	if fault, ok := errors.AsType[*contract.FieldError](r); ok {
		p.Errors = []web.FieldError{{Field: fault.Field, Detail: fault.Problem}}
	}
	return p
}

// invalid is the problem of a value that was not understood.
func invalid(fault *contract.FieldError) *web.Problem {
	return web.InvalidRequest(fault.Error(), web.FieldError{Field: fault.Field, Detail: fault.Problem})
}

// conflict names the versions where the store has told them.
func conflict(err error) *web.Problem {
	lost, ok := errors.AsType[*eventstore.ConflictError](err)
	if ok {
		return web.VersionConflict(lost.Expected, lost.Actual)
	}
	p := web.VersionConflict(0, 0)
	p.ExpectedVersion, p.ActualVersion = nil, nil
	return p
}
