package readmodel

import (
	"strconv"
	"strings"
)

// sqlitePage writes a page's query so that one index gives its order, and leads
// to the accounts of one exact condition where there is such an index. A plus
// sign before a column keeps SQLite from looking for them by it: it has no idea
// how many there are, and would rather sort a million accounts than pass over
// ten.
func sqlitePage(t Tables, q *PageQuery) (query string, args []any) {
	w := where{lead: leading(q)}
	ordinal, typed := q.Type.Ordinal()
	w.equal("account_holder", q.Holder, q.Holder != "")
	w.equal("status", string(q.Status), q.Status != "")
	w.equal("currency", q.Currency.Code(), !q.Currency.IsZero())
	w.equal("account_type", ordinal, typed)
	bounded := "+balance_units"
	if q.Sort == ByBalance {
		bounded = "balance_units"
	}
	if q.MinBalance != nil {
		w.and(bounded+" >= ?", unitsUp(q.MinBalance))
	}
	if q.MaxBalance != nil {
		w.and(bounded+" <= ?", unitsDown(q.MaxBalance))
	}
	order := w.follow(q)
	query = `SELECT ` + accountColumns + ` FROM ` + t.Account
	if len(w.conditions) > 0 {
		query += ` WHERE ` + strings.Join(w.conditions, " AND ")
	}
	return query + ` ORDER BY ` + order + ` LIMIT ?`, append(w.args, q.Limit+1)
}

// leading returns the column that the index for q begins with, empty if that is
// the one with the order alone. Of several, it is the one that is likely to have
// the fewest accounts.
func leading(q *PageQuery) string {
	switch {
	case q.Holder != "":
		return "account_holder"
	case q.Sort == ByHolder:
		return ""
	case q.Sort == ByBalance && q.Currency.IsZero():
		return ""
	case q.Sort == ByBalance:
		return "currency"
	case q.Status == "CLOSED":
		return "status"
	case !q.Currency.IsZero():
		return "currency"
	case q.Type != "":
		return "account_type"
	case q.Status != "":
		return "status"
	}
	return ""
}

// where is a condition on its way.
type where struct {
	lead string
	// plain: there is no sign before columns other than lead.
	plain      bool
	conditions []string
	args       []any
}

func (w *where) and(condition string, args ...any) {
	w.conditions = append(w.conditions, condition)
	w.args = append(w.args, args...)
}

// equal asks for a value, if there is one to ask for.
func (w *where) equal(column string, value any, asked bool) {
	if !asked {
		return
	}
	if column != w.lead && !w.plain {
		column = "+" + column
	}
	w.and(column+" = ?", value)
}

// follow asks for what comes after a place, and returns the order.
func (w *where) follow(q *PageQuery) (order string) {
	direction, beyond := "", " > "
	if q.Descending {
		direction, beyond = " DESC", " < "
	}
	if q.Sort == ByHolder && q.Holder != "" { // all have the same
		if q.After != nil {
			w.and("id"+beyond+"?", q.After.ID)
		}
		return "id" + direction
	}
	column := "creation_date"
	switch q.Sort {
	case ByCreation:
	case ByBalance:
		column = "balance_units"
	case ByHolder:
		column = "account_holder"
	}
	if q.After != nil {
		var key any = q.After.Key
		if q.Sort == ByBalance {
			key, _ = strconv.ParseInt(q.After.Key, 10, 64) // what is no number was given out by nobody
		}
		w.and("("+column+", id)"+beyond+"(?, ?)", key, q.After.ID)
	}
	return column + direction + ", id" + direction
}
