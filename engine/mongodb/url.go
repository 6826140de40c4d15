package mongodb

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"
)

// ErrUnusable: the URL is wrong, or what it leads to is no event store that this
// program may use. To try again is in vain; every other error of opening may
// pass by itself.
var ErrUnusable = errors.New("unusable event store")

// databaseDefault is the database of a URL that names none.
const databaseDefault = "passbook"

const (
	// selectionTimeout is how long an operation looks for a primary. While none is
	// elected, nothing is sent, so the caller learns that for certain.
	selectionTimeout = 3 * time.Second
	// operationTimeout ends operations whose context has no deadline.
	operationTimeout = 30 * time.Second
	appName          = "passbook event store "
)

// settings reads a URL. What the store's guarantees rest on is not for the URL
// to choose: it is set here, whatever the URL says.
func settings(url string) (client *options.ClientOptions, database string, err error) {
	parsed, err := connstring.ParseAndValidate(url)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %s", ErrUnusable, wrongURL(url, err))
	}
	database = parsed.Database
	if database == "" {
		database = databaseDefault
	}
	journaled := true
	client = options.Client().ApplyURI(url).
		SetAppName(appName + database).
		SetWriteConcern(&writeconcern.WriteConcern{W: "majority", Journal: &journaled}).
		SetReadConcern(readconcern.Majority()).
		SetReadPreference(readpref.Primary()).
		SetRetryWrites(true).
		SetRetryReads(true).
		SetServerSelectionTimeout(selectionTimeout).
		SetTimeout(operationTimeout)
	if err := client.Validate(); err != nil {
		return nil, "", fmt.Errorf("%w: %s", ErrUnusable, wrongURL(url, err))
	}
	return client, database, nil
}

const urlForm = "want mongodb://user:password@host:port,host:port/database?replicaSet=name"

// wrongURL says what is wrong with a URL. The parser's own words may quote any
// part of the URL, so they are repeated only if they are about what is left of it
// without user and password.
func wrongURL(url string, err error) string {
	if strings.Contains(url, "assword") || strings.Contains(url, "authMechanismProperties") {
		return "the MongoDB URL is wrong: " + urlForm
	}
	scheme, rest, found := strings.Cut(url, "://")
	if !found {
		return "the MongoDB URL has no scheme: " + urlForm
	}
	at := strings.LastIndex(rest, "@")
	if at < 0 {
		return fmt.Sprintf("the MongoDB URL is wrong: %s: %s", oneLine(err), urlForm)
	}
	if _, err = connstring.ParseAndValidate(scheme + "://" + rest[at+1:]); err != nil && !strings.Contains(rest[at+1:], "auth") {
		return fmt.Sprintf("the MongoDB URL is wrong: %s: %s", oneLine(err), urlForm)
	}
	return "user or password in the MongoDB URL is wrong: write every character of them but letters and digits as %XX: " + urlForm
}

// oneLine is an error's text for people.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
