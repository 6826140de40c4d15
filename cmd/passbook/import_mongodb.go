package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"passbook/bank/legacy/takeover"
	contract "passbook/contract/account"
	"passbook/engine/mongodb"
	"passbook/es/archive"
)

// takeOverFlags are for taking over the event store of the Java system.
type takeOverFlags struct {
	Rule     []string `group:"Taking over from mongodb://:" help:"What to do about a kind of irregularity; the report lists what there is. Repeatable." name:"rule" placeholder:"KIND=RULE" sep:"none"`
	DryRun   bool     `group:"Taking over from mongodb://:" help:"Print the report and write nothing."`
	JSON     bool     `group:"Taking over from mongodb://:" help:"Print the report as JSON, with every account." name:"json"`
	Currency string   `default:"EUR" env:"PASSBOOK_CURRENCY" group:"Taking over from mongodb://:" help:"Currency of all its accounts." placeholder:"CODE"`
}

// refuse names flags that mean nothing for a file.
func (f *takeOverFlags) refuse() error {
	switch {
	case len(f.Rule) > 0:
		return errors.New("--rule is for --from mongodb://: a file is imported as it is")
	case f.DryRun:
		return errors.New("--dry-run is for --from mongodb://: a file that is not sound is never imported")
	case f.JSON:
		return errors.New("--json is for --from mongodb://")
	}
	return nil
}

func leadsToMongoDB(from string) bool {
	return strings.HasPrefix(from, "mongodb:") || strings.HasPrefix(from, "mongodb+srv:")
}

// config reads the flags.
func (f *takeOverFlags) config() (takeover.Config, error) {
	rules, err := takeover.ParseRules(f.Rule)
	if err != nil {
		return takeover.Config{}, fmt.Errorf("--rule: %w", err)
	}
	currency, err := contract.ParseCurrency(f.Currency)
	if err != nil {
		return takeover.Config{}, refuse("PASSBOOK_CURRENCY", "currency", err)
	}
	return takeover.Config{Currency: currency, Rules: rules}, nil
}

// takeOver fills an empty event store from that of the Java system, if there is a
// rule for everything in it that cannot be taken as it is.
func (c *importCommand) takeOver(ctx context.Context, out output) (err error) {
	config, err := c.config()
	if err != nil {
		return err
	}
	at, err := c.storeFlags.location()
	if err != nil {
		return err
	}
	source, err := mongodb.OpenForeign(ctx, c.From, contract.LegacyDatabase, contract.LegacyCollection)
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	if c.DryRun {
		plan, err := c.check(ctx, source, config, out)
		if err != nil {
			return err
		}
		return c.tell(out, source, plan, nil)
	}
	return c.into(ctx, at, func(target importTarget) error {
		if err := archive.Vacant(ctx, target.store); err != nil {
			return explainImport(err, at, again)
		}
		plan, err := c.check(ctx, source, config, out)
		if err != nil {
			return err
		}
		if len(plan.Report.Open()) > 0 {
			return c.tell(out, source, plan, nil)
		}
		filled, err := c.fillFrom(ctx, target, plan, out)
		if err != nil {
			return explainImport(err, at, again)
		}
		if err := c.tell(out, source, plan, &filled); err != nil || c.JSON {
			return err
		}
		return c.tellElsewhere(out, target.folder)
	})
}

// again is what makes a takeover the same one.
const again = "with the same --from, of which nothing may have changed, and the same --rule and --currency"

func (c *importCommand) check(ctx context.Context, source *mongodb.Foreign, config takeover.Config, out output) (*takeover.Plan, error) {
	total, err := source.Count(ctx)
	if err != nil {
		return nil, fmt.Errorf("--from: %w", err)
	}
	checking := newProgress(out.stderr, "check")
	defer checking.close()
	config.Progress = func(done int64) { checking.set(done, max(done, total)) }
	plan, err := takeover.Check(ctx, source, config)
	if err != nil {
		return nil, fmt.Errorf("--from: %s: %w", source.Name(), err)
	}
	return plan, nil
}

func (c *importCommand) fillFrom(ctx context.Context, target importTarget, plan *takeover.Plan, out output) (archive.Filled, error) {
	writing := newProgress(out.stderr, "import")
	defer writing.close()
	return plan.Fill(ctx, target.store, archive.ImportConfig{ //nolint:wrapcheck // explainImport does
		Writing:   writing.set,
		BeforeEnd: func() error { return c.beforeEnd(ctx, target) },
	})
}
