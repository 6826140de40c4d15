package readmodel

import (
	"strconv"
	"strings"
	"time"
)

// mysqlPage writes a page's query on the index that gives its order, and that
// leads to the accounts of one exact condition where there is such an index. A
// place is written out: MySQL finds no range of an index by a comparison of
// tuples.
func mysqlPage(t Tables, q *PageQuery) (query string, args []any) {
	lead := leading(q)
	w := where{plain: true}
	ordinal, typed := q.Type.Ordinal()
	w.equal("account_holder", q.Holder, q.Holder != "")
	w.equal("status", string(q.Status), q.Status != "")
	w.equal("currency", q.Currency.Code(), !q.Currency.IsZero())
	w.equal("account_type", ordinal, typed)
	if q.MinBalance != nil {
		w.and("balance_units >= ?", unitsUp(q.MinBalance))
	}
	if q.MaxBalance != nil {
		w.and("balance_units <= ?", unitsDown(q.MaxBalance))
	}
	order := mysqlFollow(&w, q)
	query = `SELECT ` + mysqlAccountColumns() + ` FROM ` + t.Account + ` FORCE INDEX (` + mysqlIndex(q.Sort, lead) + `)`
	if len(w.conditions) > 0 {
		query += ` WHERE ` + strings.Join(w.conditions, " AND ")
	}
	return query + ` ORDER BY ` + order + ` LIMIT ?`, append(w.args, q.Limit+1)
}

// mysqlIndex is the index that begins with lead and goes on in that order.
func mysqlIndex(s Sort, lead string) string {
	name := map[string]string{"account_holder": "by_h_", "currency": "by_c_", "status": "by_s_", "account_type": "by_t_", "": "by_"}[lead]
	switch s {
	case ByCreation:
		return name + "created"
	case ByBalance:
		return name + "balance"
	case ByHolder:
	}
	return "by_holder"
}

// mysqlFollow asks for what comes after a place, and returns the order.
func mysqlFollow(w *where, q *PageQuery) (order string) {
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
	column := map[Sort]string{ByCreation: "creation_date", ByBalance: "balance_units", ByHolder: "account_holder"}[q.Sort]
	if q.After != nil {
		key := mysqlKey(q.Sort, q.After.Key)
		w.and(column+strings.TrimSpace(beyond)+"= ?", key)
		w.and("("+column+beyond+"? OR id"+beyond+"?)", key, q.After.ID)
	}
	return column + direction + ", id" + direction
}

// mysqlKey is the value of a place. What can be read as none was given out by
// nobody, and stands before everything.
func mysqlKey(s Sort, key string) any {
	switch s {
	case ByCreation:
		at, err := parseTime(key)
		if err != nil {
			at = time.Date(1000, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		return mysqlMoment(at)
	case ByBalance:
		units, _ := strconv.ParseInt(key, 10, 64)
		return units
	case ByHolder:
	}
	return key
}
