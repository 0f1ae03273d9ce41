// Package huawei tests the SDK-* and V11 schemes with requests signed by Huawei Cloud's
// SDKs: github.com/huaweicloud/huaweicloud-sdk-go-v3, which has all of them except
// apig.NewScoped's, and, from npm, @huaweicloud/huaweicloud-sdk-core (in the folder
// node), which has SDK-HMAC-SHA256 and V11-HMAC-SHA256.
package huawei
