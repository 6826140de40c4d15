package account

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLegacyClass_IsThePackageAndTheTopic(t *testing.T) {
	for topic, class := range map[string]string{
		LegacyTopicOpened: LegacyClassOpened, LegacyTopicDeposited: LegacyClassDeposited,
		LegacyTopicWithdrawn: LegacyClassWithdrawn, LegacyTopicClosed: LegacyClassClosed,
	} {
		require.Equal(t, "com.asimkilic.account.common.events."+topic, class)
	}
}
