// Package huawei tries the SDK-* schemes with requests signed by Huawei Cloud's
// SDKs: github.com/huaweicloud/huaweicloud-sdk-go-v3 and, from npm,
// @huaweicloud/huaweicloud-sdk-core (in the folder node).
package huawei
