import CLibcurl
import CPrefop

/// A StaticString's bytes end with a NUL.
private func text(_ text: StaticString) -> UnsafePointer<CChar> {
  unsafe UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}

@_cdecl("prefop_version_number") @implementation
public func prefop_version_number() -> UInt32 { UInt32(PREFOP_VERSION_NUMBER) }

@_cdecl("prefop_version") @implementation
public func prefop_version() -> UnsafePointer<CChar>! { unsafe text(BuildInfo.version) }

@_cdecl("prefop_build_info") @implementation
public func prefop_build_info() -> UnsafePointer<CChar>! { unsafe text(BuildInfo.line) }

@_cdecl("prefop_status_name") @implementation
public func prefop_status_name(_ status: prefop_status) -> UnsafePointer<CChar>! {
  unsafe text(Status(rawValue: status).name)
}

@_cdecl("prefop_code_name") @implementation
public func prefop_code_name(_ code: Int64) -> UnsafePointer<CChar>! { unsafe text(TaskCode.name(code)) }
