package blob

import (
	"errors"
	"fmt"
	"net/http"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/churntier/churntier/pipeline/objstore"
)

// s3Kind puts an answer of S3 under the kind that it is of.
func s3Kind(err error) error {
	if kind := s3KindOf(err); kind != nil {
		return fmt.Errorf("%w: %w", kind, err)
	}
	return err
}

func s3KindOf(err error) error {
	switch codeOf(err) {
	case "NoSuchBucket":
		return objstore.ErrNoBucket
	case "BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch":
		return objstore.ErrChecksum
	case "QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded":
		return objstore.ErrNoSpace
	}
	var answer *awshttp.ResponseError
	if errors.As(err, &answer) {
		return kindOfStatus(answer.HTTPStatusCode())
	}
	return nil
}

// kindOfStatus gives what both clouds mean by a status.
func kindOfStatus(status int) error {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return objstore.ErrPermission
	case http.StatusNotFound:
		return objstore.ErrNotExist
	case http.StatusPreconditionFailed:
		return objstore.ErrPrecondition
	case http.StatusInsufficientStorage:
		return objstore.ErrNoSpace
	}
	return nil
}

// codeOf is the name that S3 gives to a failure.
func codeOf(err error) string {
	var answer smithy.APIError
	if errors.As(err, &answer) {
		return answer.ErrorCode()
	}
	return ""
}
