package readmodel

// auditStatements are the queries of an Audit, and of Differences.
type auditStatements struct {
	// entries returns what was told of each event, as the tables have it.
	entries string
	// rows returns the accounts that do not stand where their last entries do.
	rows string
	// differences counts accounts that the live tables show differently.
	differences string
}

func sqliteAuditStatements(t Tables) auditStatements {
	return auditStatements{
		entries: `SELECT e.account_id, e.version, e.event_id, e.position, coalesce(e.amount, ''),
		CASE e.kind WHEN 'CLOSED' THEN '' ELSE e.balance END, CASE e.kind WHEN 'CLOSED' THEN '' ELSE a.currency END,
		CASE e.kind WHEN 'CLOSED' THEN '' ELSE coalesce(e.reference, '') END,
		CASE e.version WHEN 0 THEN a.account_holder ELSE '' END, CASE e.version WHEN 0 THEN a.account_type ELSE -1 END
		FROM ` + t.Entry + ` AS e JOIN ` + t.Account + ` AS a ON a.id = e.account_id`,
		rows: auditRows(t, ``),
		// IS NOT: a value that is missing on one side differs too.
		differences: differencesBetween(LiveTables(), t,
			`l.account_holder IS NOT n.account_holder OR l.creation_date IS NOT n.creation_date OR l.account_type IS NOT n.account_type
		OR l.balance IS NOT n.balance OR l.currency IS NOT n.currency OR l.status IS NOT n.status OR l.event_id IS NOT n.event_id
		OR l.position IS NOT n.position OR l.updated_at IS NOT n.updated_at`),
	}
}

// auditRows compares what both tables say, and what a dialect adds to it.
func auditRows(t Tables, also string) string {
	return `SELECT a.id FROM ` + t.Account + ` AS a
		LEFT JOIN ` + t.Entry + ` AS e ON e.account_id = a.id AND e.version = a.version
		WHERE e.version IS NULL OR e.event_id <> a.event_id OR e.position <> a.position OR e.balance <> a.balance` + also + `
		OR EXISTS (SELECT 1 FROM ` + t.Entry + ` AS l WHERE l.account_id = a.id AND l.version > a.version)`
}

// differencesBetween counts accounts of two lines, at the same version, for which
// differ holds, and accounts that other is past and has not.
func differencesBetween(live, other Tables, differ string) string {
	return `SELECT
		(SELECT count(*) FROM ` + live.Account + ` AS l JOIN ` + other.Account + ` AS n ON n.id = l.id AND n.version = l.version
			WHERE ` + differ + `) +
		(SELECT count(*) FROM ` + live.Account + ` AS l LEFT JOIN ` + other.Account + ` AS n ON n.id = l.id
			WHERE n.id IS NULL AND l.position <= (SELECT coalesce(max(position), 0) FROM ` + other.Account + `))`
}
