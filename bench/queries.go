package bench

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"strings"
	"time"

	"passbook/bench/load"
)

// runQueries is the bench of queries over HTTP: accounts by their ids, asked of a
// query service alone; beside it other queries, and the bare select.
func runQueries(ctx context.Context, b *bench) (Result, error) {
	others := []struct {
		name string
		next func(t *teller) request
	}{
		{"by id, version 1", func(t *teller) request {
			return request{http.MethodGet, "/api/v1/bankAccountLookup/byId/" + t.ids[t.some()], nil}
		}},
		{"page of 50", func(*teller) request {
			return request{http.MethodGet, apiAccounts + "?pageSize=50&sort=accountHolder", nil}
		}},
		{"statement", func(t *teller) request {
			return request{http.MethodGet, apiAccounts + "/" + t.ids[t.some()] + "/statement", nil}
		}},
	}
	brief := b.config.Duration / 2 // for what stands beside
	b.plan(2*b.config.Duration + brief*time.Duration(len(others)+1))
	echo, err := b.echo(ctx)
	if err != nil {
		return Result{}, err
	}
	defer echo.close()
	t := newTeller(b.config.Accounts)
	d, err := b.deployFilled(ctx, t)
	if err != nil {
		return Result{}, err
	}
	service, err := connect(ctx, d.query, b.config.Connections)
	if err != nil {
		return Result{}, err
	}
	defer service.close()
	find := func(int) request { return t.find(t.some()) }
	y, f, err := b.compare(ctx, echo.drive(find), service.drive(find))
	if err != nil {
		return Result{}, err
	}
	result := rate("queries", "queries/s", f).against(y.PerSecond(), echoIs)
	result.Conditions = fmt.Sprintf("account by id, %d connections, %d accounts", b.config.Connections, b.config.Accounts)
	for _, other := range others {
		o, err := b.measure(ctx, service.drive(func(int) request { return other.next(t) }), brief)
		if err != nil {
			return Result{}, err
		}
		result.Beside = append(result.Beside, rate(other.name, "queries/s", o))
	}
	selected, err := b.selects(ctx, d.readDB, t, brief)
	result.Beside = append(result.Beside, rate("select by primary key", "queries/s", selected))
	return result, err
}

// movementsPerAccount is how many entries there are for statements.
const movementsPerAccount = 5

// deployFilled starts all services, opens the accounts, moves some money, and
// waits until all of that can be queried.
func (b *bench) deployFilled(ctx context.Context, t *teller) (deployment, error) {
	d, err := b.deploy(ctx, b.newEventStore(), false)
	if err != nil {
		return d, err
	}
	counter, err := b.atCounter(ctx, d.command, t)
	if err != nil {
		return d, err
	}
	defer counter.close()
	n := len(t.ids) * movementsPerAccount
	if err := counter.each(ctx, n, func(i int) request { return t.deposit(i % len(t.ids)) }); err != nil {
		return d, err
	}
	return d, d.awaitPosition(ctx, int64(n+len(t.ids)))
}

// selects reads rows by their primary key, without anything of ours.
func (b *bench) selects(ctx context.Context, setting string, t *teller, d time.Duration) (load.Outcome, error) {
	db, closeDB, err := openRows(ctx, setting)
	if err != nil {
		return load.Outcome{}, err
	}
	defer closeDB()
	statement, err := db.PrepareContext(ctx, "SELECT account_holder, balance FROM bank_account WHERE id = ?")
	if err != nil {
		return load.Outcome{}, fmt.Errorf("select an account: %w", err)
	}
	defer func() { _ = statement.Close() }() // it was used to its end
	const callers = 16
	db.SetMaxOpenConns(callers)
	db.SetMaxIdleConns(callers)
	return b.measure(ctx, func(ctx context.Context, d time.Duration) (load.Outcome, error) {
		return load.Drive(ctx, load.Plan{Workers: callers, Duration: d}, func(ctx context.Context, _ int) error {
			var holder, balance string
			return statement.QueryRowContext(ctx, t.ids[t.some()]).Scan(&holder, &balance)
		})
	}, d)
}

// openRows opens a read database to look at its rows, beside the service that has
// it.
func openRows(ctx context.Context, setting string) (*sql.DB, func(), error) {
	if path, ok := strings.CutPrefix(setting, "sqlite:"); ok {
		db, err := openSQLite(path, "ro", "busy_timeout(5000)")
		return db, func() { _ = db.Close() }, err // it was read from
	}
	side, _, err := openReadDB(ctx, setting)
	if err != nil {
		return nil, nil, err
	}
	return side.DB(), func() { _ = side.Close() }, nil // as above
}
