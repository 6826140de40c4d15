package queryapi

import (
	"passbook/bank/readmodel"
	"passbook/es/query"
)

// newDispatcher returns the dispatcher of all questions, with middleware around
// each of them, the first one outermost.
func newDispatcher(accounts *readmodel.Reader, middleware ...query.Middleware) *query.Dispatcher {
	d := query.NewDispatcher(middleware...)
	query.Handle(d, findAllAccounts(accounts))
	query.Handle(d, findAccountByID(accounts))
	query.Handle(d, findAccountByHolder(accounts))
	query.Handle(d, findAccountWithBalance(accounts))
	query.Handle(d, findAccounts(accounts))
	query.Handle(d, findAccountAtVersion(accounts))
	query.Handle(d, findAccountAtTime(accounts))
	query.Handle(d, findStatement(accounts))
	return d
}

// questionName is what dashboards know a question by; it does not follow a
// rename of the Go type.
func questionName(question any) string {
	switch question.(type) {
	case FindAllAccounts:
		return "FindAllAccounts"
	case FindAccountByID:
		return "FindAccountByID"
	case FindAccountByHolder:
		return "FindAccountByHolder"
	case FindAccountWithBalance:
		return "FindAccountWithBalance"
	case FindAccounts:
		return "FindAccounts"
	case FindAccountAtVersion:
		return "FindAccountAtVersion"
	case FindAccountAtTime:
		return "FindAccountAtTime"
	case FindStatement:
		return "FindStatement"
	}
	return "other"
}
