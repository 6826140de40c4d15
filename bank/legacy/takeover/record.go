package takeover

import (
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	contract "passbook/contract/account"
)

// record is one document as the original means it.
type record struct {
	id     bson.ObjectID
	idText string
	// account is empty where the document names none.
	account string
	// class is the event's; empty where it is unknown.
	class string
	// version is below zero where there is none.
	version int64
	// time and created are zero where they are missing.
	time, created       time.Time
	holder, accountType string
	amount              amount
	faults              []fault
}

// fault is something that can be seen in a document by itself.
type fault struct {
	kind Kind
	what string
}

// faultf notes the first of each kind.
func (r *record) faultf(kind Kind, format string, args ...any) {
	if slices.ContainsFunc(r.faults, func(f fault) bool { return f.kind == kind }) {
		return
	}
	r.faults = append(r.faults, fault{kind, fmt.Sprintf(format, args...)})
}

// read makes a record of a document. What is wrong with it stands in its faults.
func read(document bson.Raw) *record {
	r := &record{version: -1}
	m := r.readMembers(document, "", "_id", "timeStamp", "aggregateIdentifier", "aggregateType", "version",
		"eventType", "eventData", "_class")
	r.readID(m)
	r.readAccount(m)
	r.time = r.timeOf(m, "", "timeStamp")
	r.readVersion(m)
	r.readClass(m)
	if r.class == "" {
		return r // what its data should be is not known
	}
	data, ok := m["eventData"].DocumentOK()
	if !ok {
		r.faultf(Malformed, "%s", m.describe("eventData"))
		return r
	}
	r.readData(data)
	return r
}

func (r *record) readID(m members) {
	id, ok := m["_id"].ObjectIDOK()
	if !ok {
		r.idText = m["_id"].String()
		r.faultf(ForeignID, "_id is a %s", m["_id"].Type)
		return
	}
	r.id, r.idText = id, id.Hex()
}

func (r *record) readAccount(m members) {
	account, ok := m.text("aggregateIdentifier")
	if !ok || account == "" {
		r.faultf(NoAccount, "%s", m.describe("aggregateIdentifier"))
		return
	}
	r.account = account
	if err := contract.CheckAccountID(account); err != nil {
		r.faultf(BadAccountID, "%.100q", account)
	}
}

func (r *record) readVersion(m members) {
	version, ok := m.integer("version")
	if !ok || version < 0 {
		r.faultf(Malformed, "%s, and no version", m.describe("version"))
		return
	}
	r.version = version
}

func (r *record) readClass(m members) {
	for _, member := range []struct{ name, want string }{
		{"aggregateType", contract.LegacyAggregateClass}, {"_class", contract.LegacyDocumentClass},
	} {
		if _, there := m[member.name]; !there {
			continue // the original never looks at it
		}
		if got, _ := m.text(member.name); got != member.want {
			r.faultf(UnknownType, "%s", m.describe(member.name))
			return
		}
	}
	class, _ := m.text("eventType")
	switch class {
	case contract.LegacyClassOpened, contract.LegacyClassDeposited, contract.LegacyClassWithdrawn, contract.LegacyClassClosed:
		r.class = class
	default:
		r.faultf(UnknownType, "%s", m.describe("eventType"))
	}
}

const dataPrefix = "eventData."

func (r *record) readData(document bson.Raw) {
	known := []string{"_id", "version", "_class"}
	switch r.class {
	case contract.LegacyClassOpened:
		known = append(known, "accountHolder", "accountType", "createdDate", "openingBalance")
	case contract.LegacyClassDeposited, contract.LegacyClassWithdrawn:
		known = append(known, "amount")
	}
	data := r.readMembers(document, dataPrefix, known...)
	r.compare(data)
	switch r.class {
	case contract.LegacyClassOpened:
		r.holder, r.accountType = data.textOrNothing("accountHolder"), data.textOrNothing("accountType")
		r.created = r.timeOf(data, dataPrefix, "createdDate")
		r.readAmount(data, "openingBalance")
	case contract.LegacyClassDeposited, contract.LegacyClassWithdrawn:
		r.readAmount(data, "amount")
	}
}

// compare looks at what is written twice.
func (r *record) compare(data members) {
	if _, there := data["_id"]; there {
		if account, _ := data.text("_id"); account != r.account {
			r.faultf(Contradiction, "%s%s", dataPrefix, data.describe("_id"))
		}
	}
	if _, there := data["version"]; there && r.version >= 0 {
		if version, ok := data.integer("version"); !ok || version != r.version {
			r.faultf(Contradiction, "%sversion is another than %d", dataPrefix, r.version)
		}
	}
	if _, there := data["_class"]; there {
		if class, _ := data.text("_class"); class != r.class {
			r.faultf(Contradiction, "%s%s", dataPrefix, data.describe("_class"))
		}
	}
}

func (r *record) readAmount(data members, name string) {
	read, ok := readAmount(data[name])
	if !ok {
		r.faultf(Malformed, "%s%s", dataPrefix, data.describe(name))
	}
	r.amount = read
}
