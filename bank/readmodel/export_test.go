package readmodel

// Statements returns every SQL statement by name, for the tests that look at how
// the database carries them out.
func Statements(d Dialect) (map[string]string, error) {
	s, err := d.statements()
	return map[string]string{
		"heads": s.heads, "rows": s.rows, "eventIDs": s.eventIDs,
		"insertAccount": s.insertAccount, "updateAccount": s.updateAccount, "insertEntry": s.insertEntry,
		"ping": s.ping, "byID": s.byID,
		"all": s.all.rows, "all/count": s.all.count,
		"byHolder": s.byHolder.rows, "byHolder/count": s.byHolder.count,
		"above": s.above.rows, "above/count": s.above.count,
		"below": s.below.rows, "below/count": s.below.count,
	}, err
}

// WholeMax is the length up to which a list is read at once.
const WholeMax = wholeMax
