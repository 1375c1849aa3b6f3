// The settings that a rule set is read after, where nobody gave others: what the engine does, which bodies are read and
// how, and which bodies are too broken to be believed. Read before the OWASP Core Rule Set, which sets none of this.

/// See the head of this file.
public enum RecommendedSettings {
  /// SecLang; ids from 10001.
  public static let text = """
    SecRuleEngine On
    SecRequestBodyAccess On
    SecRequestBodyLimit 13107200
    SecRequestBodyNoFilesLimit 131072
    SecRequestBodyLimitAction Reject
    SecResponseBodyAccess On
    SecResponseBodyMimeType text/plain text/html text/xml
    SecResponseBodyLimit 524288
    SecResponseBodyLimitAction ProcessPartial
    SecPcreMatchLimit 100000
    SecPcreMatchLimitRecursion 100000
    SecArgumentSeparator &
    SecCookieFormat 0

    # A server is asked by its address as often as by its name: where Host is the address that the request came to, that
    # says nothing about the client (Core Rule Set, 920350).
    SecRule REQUEST_HEADERS:Host "@contains %{SERVER_ADDR}" \\
      "id:10006,phase:1,pass,nolog,t:none,ctl:ruleRemoveById=920350"

    # Bodies are read as what they say they are.
    SecRule REQUEST_HEADERS:Content-Type "@rx ^(?:application(?:/soap\\+|/)|text/)xml" \\
      "id:10001,phase:1,pass,nolog,t:none,t:lowercase,ctl:requestBodyProcessor=XML"
    SecRule REQUEST_HEADERS:Content-Type "@rx ^application/(?:[a-z0-9.-]+\\+)?json" \\
      "id:10002,phase:1,pass,nolog,t:none,t:lowercase,ctl:requestBodyProcessor=JSON"

    # What can't be read as that can't be inspected.
    SecRule REQBODY_ERROR "!@eq 0" \\
      "id:10003,phase:2,deny,status:400,log,t:none,severity:CRITICAL,\\
      msg:'The body is not what its Content-Type says',logdata:'%{REQBODY_ERROR_MSG}',tag:'kabuto/body'"
    SecRule MULTIPART_STRICT_ERROR "!@eq 0" \\
      "id:10004,phase:2,deny,status:400,log,t:none,severity:CRITICAL,\\
      msg:'A multipart body breaks RFC 7578 in a way that others may read differently',tag:'kabuto/body'"
    SecRule MULTIPART_UNMATCHED_BOUNDARY "@eq 1" \\
      "id:10005,phase:2,deny,status:400,log,t:none,severity:CRITICAL,\\
      msg:'A multipart body has a line that looks like a boundary and is none',tag:'kabuto/body'"

    """
}
