package web

import (
	"net/http"
	"time"
)

// InvalidRequest is 400: the request cannot be understood or names impossible
// values. Each fault that can be told apart is one FieldError.
func InvalidRequest(detail string, faults ...FieldError) *Problem {
	p := NewProblem(CodeInvalidRequest, detail)
	p.Errors = faults
	return p
}

// InvalidField is [InvalidRequest] for a single fault.
func InvalidField(field, detail string) *Problem {
	return InvalidRequest(field+": "+detail, FieldError{Field: field, Detail: detail})
}

// AccountNotFound is 404.
func AccountNotFound(detail string) *Problem { return NewProblem(CodeAccountNotFound, detail) }

// AccountExists is 409: the chosen account id is taken.
func AccountExists(detail string) *Problem { return NewProblem(CodeAccountExists, detail) }

// AccountClosed is 422.
func AccountClosed(detail string) *Problem { return NewProblem(CodeAccountClosed, detail) }

// InsufficientFunds is 422.
func InsufficientFunds(detail string) *Problem { return NewProblem(CodeInsufficientFunds, detail) }

// BalanceLimit is 422: the balance would pass the largest amount there is.
func BalanceLimit(detail string) *Problem { return NewProblem(CodeBalanceLimit, detail) }

// BalanceNotZero is 422: an account with money in it is not closed.
func BalanceNotZero(detail string) *Problem { return NewProblem(CodeBalanceNotZero, detail) }

// CurrencyMismatch is 422.
func CurrencyMismatch(detail string) *Problem { return NewProblem(CodeCurrencyMismatch, detail) }

// CurrencyUnknown is 400: no ISO 4217 currency.
func CurrencyUnknown(detail string) *Problem { return NewProblem(CodeCurrencyUnknown, detail) }

// Unauthenticated is 401, with WWW-Authenticate.
func Unauthenticated(detail string) *Problem { return NewProblem(CodeUnauthenticated, detail) }

// Forbidden is 403.
func Forbidden(detail string) *Problem { return NewProblem(CodeForbidden, detail) }

// PreconditionFailed is version-conflict as 412: If-Match named another version.
func PreconditionFailed(expected, actual int64) *Problem {
	p := VersionConflict(expected, actual)
	p.Status = http.StatusPreconditionFailed
	p.Detail = "If-Match names another version than the account has"
	return p
}

// VersionConflict is version-conflict as 409: others kept changing the account
// until the retries were used up.
func VersionConflict(expected, actual int64) *Problem {
	p := NewProblem(CodeVersionConflict, "the account was changed by others at the same time; try again")
	p.ExpectedVersion, p.ActualVersion = &expected, &actual
	return p
}

// IdempotencyKeyReused is 422: the key came with another request before.
func IdempotencyKeyReused(detail string) *Problem {
	return NewProblem(CodeIdempotencyKeyReused, detail)
}

// IdempotencyKeyInFlight is 409 with Retry-After.
func IdempotencyKeyInFlight(retryAfter time.Duration) *Problem {
	return NewProblem(CodeIdempotencyKeyInFlight, "the first request with this key is still being answered").after(retryAfter)
}

// TooLarge is 413.
func TooLarge(detail string) *Problem { return NewProblem(CodeTooLarge, detail) }

// UnsupportedMediaType is 415.
func UnsupportedMediaType(detail string) *Problem {
	return NewProblem(CodeUnsupportedMediaType, detail)
}

// TooManyRequests is 429 with Retry-After.
func TooManyRequests(detail string, retryAfter time.Duration) *Problem {
	return NewProblem(CodeTooManyRequests, detail).after(retryAfter)
}

// Unavailable is 503 with Retry-After; it promises that nothing happened.
func Unavailable(detail string, retryAfter time.Duration) *Problem {
	return NewProblem(CodeUnavailable, detail).after(retryAfter)
}

// OutcomeUnknown is 504: the command may or may not have taken effect.
func OutcomeUnknown(detail string) *Problem { return NewProblem(CodeOutcomeUnknown, detail) }

// NotFound is 404 for anything but an account.
func NotFound(detail string) *Problem { return NewProblem(CodeNotFound, detail) }

// MethodNotAllowed is 405; allow goes into the Allow header.
func MethodNotAllowed(allow ...string) *Problem {
	p := NewProblem(CodeMethodNotAllowed, "the Allow header lists the methods of this address")
	p.allow = allow
	return p
}

// NotYetVisible is 409 with Retry-After: the read model stands at reached, in
// the unit that the request asked in (a version or a position).
func NotYetVisible(reached int64, retryAfter time.Duration) *Problem {
	p := NewProblem(CodeNotYetVisible, "the read model has not come that far yet").after(retryAfter)
	p.Reached = &reached
	return p
}

// Internal is 500. It takes no detail on purpose: a handler that cannot go on
// returns its own error, which is logged, and the client gets this.
func Internal() *Problem { return NewProblem(CodeInternal, "") }

// after promises a Retry-After header: a second at least, since zero would
// invite the client to come back at once.
func (p *Problem) after(d time.Duration) *Problem {
	p.RetryAfter = max(d, time.Second)
	return p
}
