package mongodb

import (
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver"
)

// Codes of refusals that are about the user.
const (
	codeUnauthorized = 13
	codeAuthFailed   = 18
)

// refusedUser turns an error of opening that is about the user into one for
// people: the server's own words quote the whole command.
//
// It is ErrUnusable. A user may yet be made, and a member that is being filled
// may know no users; but only a primary is asked, which has those that there are:
// what it refuses is a wrong setting until somebody acts.
func refusedUser(err error, user *options.Credential, role, database string) error {
	switch code := codeOf(err); {
	case code == codeAuthFailed && user != nil:
		return fmt.Errorf("%w: user %q or its password is not accepted (users are looked up in database %q: authSource in the URL names another)",
			ErrUnusable, user.Username, authSource(user))
	case code == codeUnauthorized && user == nil:
		return fmt.Errorf("%w: the server wants a user, and the MongoDB URL names none: %s", ErrUnusable, urlForm)
	case code == codeUnauthorized:
		return fmt.Errorf("%w: user %q may not use it: grant it the role %s on database %s", ErrUnusable, user.Username, role, database)
	}
	return err
}

func authSource(user *options.Credential) string {
	if user.AuthSource == "" {
		return "admin"
	}
	return user.AuthSource
}

// codeOf returns the server's code, also of an error that came while a connection
// was made; 0 if there is none.
func codeOf(err error) int32 {
	if failure, ok := errors.AsType[mongo.CommandError](err); ok {
		return failure.Code
	}
	if failure, ok := errors.AsType[driver.Error](err); ok {
		return failure.Code
	}
	return 0
}
