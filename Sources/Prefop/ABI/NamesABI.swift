import CPrefop

@_cdecl("prefop_version_number") @implementation
public func prefop_version_number() -> UInt32 { UInt32(PREFOP_VERSION_NUMBER) }

@_cdecl("prefop_version") @implementation
public func prefop_version() -> UnsafePointer<CChar>! { unsafe BuildInfo.version.cString }

@_cdecl("prefop_build_info") @implementation
public func prefop_build_info() -> UnsafePointer<CChar>! { unsafe BuildInfo.line.cString }

@_cdecl("prefop_status_name") @implementation
public func prefop_status_name(_ status: prefop_status) -> UnsafePointer<CChar>! {
  unsafe Status(rawValue: status).name.cString
}

@_cdecl("prefop_code_name") @implementation
public func prefop_code_name(_ code: Int64) -> UnsafePointer<CChar>! { unsafe TaskCode.name(code).cString }
